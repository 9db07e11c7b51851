import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { InputError } from "./errors.ts";
import { detectFormat } from "./formats/detect-format.ts";
import { FILE_FORMATS } from "./formats/file-formats.ts";
import { joinGgufShards } from "./formats/gguf/gguf-shards.ts";
import { readJsonDocument } from "./formats/read-json-document.ts";
import { parseIndex } from "./formats/sharded/parse-index.ts";
import { chooseShards, joinShards, type Shard } from "./formats/sharded/shards.ts";
import type { ByteSource } from "./io/byte-source.ts";
import { MAX_SHARDS } from "./io/limits.ts";

/** Functions that open the files of a folder, by their names. */
type Opens = ReadonlyMap<string, () => Promise<ByteSource>>;

/**
 * Opens the checkpoint that some sources of bytes form together, as `openCheckpoint` opens the files of a
 * folder: the shards of an index, all safetensors files, the shards of a GGUF file, or one file in another
 * format. Only headers are read.
 * @param name - name of the folder for messages
 * @param opens - functions that open the files with weights, and an index, by the names of the files
 * @throws InputError if the files do not form one checkpoint
 * @throws FormatError if a file is damaged, cut short, or claims more than it has
 */
export async function openSources(name: string, opens: Opens): Promise<Checkpoint> {
  const index = await readIndex(opens);
  const files = index === undefined ? chooseFiles(name, opens) : [...new Set(index.values())].sort();
  if (files.length > MAX_SHARDS) {
    throw new InputError(
      `Cannot open "${name}" as there may be ${MAX_SHARDS} shards: there are ${files.length}`,
      { input: name },
    );
  }
  const shards: Shard[] = [];
  try {
    for (const file of files) shards.push({ file, checkpoint: await openOne(name, file, opens) });
    const isSplit = files.length > 1 && files.every(isOfGguf);
    return isSplit ? joinGgufShards(name, shards) : joinShards({ source: name, shards, index, files: [] });
  } catch (error) {
    for (const { checkpoint } of shards) await checkpoint.close();
    throw error;
  }
}

async function readIndex(opens: Opens): Promise<ReadonlyMap<string, string> | undefined> {
  const open = [...opens].find(([file]) => file.endsWith(".index.json"))?.[1];
  if (open === undefined) return undefined;
  const source = await open();
  try {
    return parseIndex(await readJsonDocument(source));
  } finally {
    await source.close();
  }
}

function chooseFiles(name: string, opens: Opens): readonly string[] {
  const files = [...opens.keys()].sort();
  if (files.length > 1 && files.every(isOfGguf)) return chooseShards(name, files);
  const tensors = files.filter((file) => file.endsWith(".safetensors"));
  return tensors.length === 0 && files.length === 1 ? files : chooseShards(name, tensors);
}

const isOfGguf = (file: string): boolean => file.endsWith(".gguf");

async function openOne(name: string, file: string, opens: Opens): Promise<Checkpoint> {
  const open = opens.get(file);
  if (open === undefined) {
    throw new InputError(
      `Cannot open "${name}" as every file that its index names must be there: "${file}" is not`,
      { input: name },
    );
  }
  const source = await open();
  try {
    const format = await detectFormat(source);
    if (format !== "index") return await FILE_FORMATS[format](source, []);
    throw new InputError(`Cannot open "${name}" as its files must hold tensors: "${file}" is an index`, {
      input: name,
    });
  } catch (error) {
    await source.close();
    throw error;
  }
}

import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { FormatError, InputError } from "./errors.ts";
import { detectFormat } from "./formats/detect-format.ts";
import { openLayersModel } from "./formats/layers-model/open-layers-model.ts";
import { readModelJson } from "./formats/layers-model/read-model-json.ts";
import { openSafetensors } from "./formats/safetensors/open-safetensors.ts";
import { joinShards, type Shard } from "./formats/sharded/join-shards.ts";
import { parseIndex } from "./formats/sharded/parse-index.ts";
import { openTorchLegacy } from "./formats/torch/open-torch-legacy.ts";
import { openTorchZip } from "./formats/torch/open-torch-zip.ts";
import type { ByteSource } from "./io/byte-source.ts";
import { openFileSource } from "./io/file-source.ts";
import { MAX_SHARDS } from "./io/limits.ts";
import { reasonOf } from "./io/system-error.ts";

/**
 * Opens a checkpoint: a safetensors file, an index of shards (`*.index.json`), a folder with either, a file that
 * `torch.save` wrote, or the `model.json` of a TensorFlow.js LayersModel. The format is found out from the content, never from the name.
 *
 * Reads headers only; tensors are read when asked for. Nothing in the file is run, and every size it claims is
 * checked before use. Close it when done.
 * @throws InputError if there is no such file, or it is of no format that is handled.
 * @throws FormatError if it is damaged, cut short, or claims what it has not.
 * @throws UnsupportedError if it needs what is not handled: an element type, a Python class.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  if (await isFolder(path)) return openFolder(path);
  const source = await openFileSource(path);
  return closeOnFailure(source, async () => {
    const format = await detectFormat(source);
    if (format !== "index") return openFile(source, format, path);
    const model = await readModelJson(source);
    if (model !== undefined) {
      await source.close();
      return openLayersModel(path, model.weightsManifest);
    }
    const index = await parseIndex(source);
    await source.close();
    return openShards({
      source: path,
      folder: dirname(path),
      names: [...new Set(index.values())].sort(),
      index,
    });
  });
}

async function openFile(source: ByteSource, format: string, path: string): Promise<Checkpoint> {
  if (format === "torch-zip") return openTorchZip(source, [path]);
  if (format === "torch-legacy") return openTorchLegacy(source, [path]);
  return openSafetensors(source, [path]);
}

/** Opens what is in a folder: its index, or all its safetensors files together. */
async function openFolder(folder: string): Promise<Checkpoint> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  const indexes = names.filter((name) => name.endsWith(".safetensors.index.json"));
  const [index] = indexes;
  if (indexes.length > 1) {
    const list = indexes.map((name) => `"${name}"`).join(", ");
    throw new InputError(
      `Cannot open "${folder}" as a folder must have one index: it has ${list}; name one of them`,
      {
        input: folder,
      },
    );
  }
  if (index !== undefined) return openCheckpoint(join(folder, index));
  const shards = names.filter((name) => name.endsWith(".safetensors"));
  if (shards.length === 0) {
    throw new InputError(`Cannot open "${folder}" as a folder must hold safetensors files: it has none`, {
      input: folder,
    });
  }
  return openShards({ source: folder, folder, names: shards, index: undefined });
}

interface ShardList {
  readonly source: string;
  readonly folder: string;
  readonly names: readonly string[];
  readonly index: ReadonlyMap<string, string> | undefined;
}

async function openShards({ source, folder, names, index }: ShardList): Promise<Checkpoint> {
  if (names.length > MAX_SHARDS) {
    throw new FormatError(
      `Cannot open "${source}" as there may be ${MAX_SHARDS} shards: there are ${names.length}`,
      {
        format: "index",
      },
    );
  }
  const shards: Shard[] = [];
  try {
    for (const file of names) shards.push({ file, checkpoint: await openShard(join(folder, file), source) });
    return joinShards({ source, shards, index, files: index === undefined ? [] : [source] });
  } catch (error) {
    for (const { checkpoint } of shards) await checkpoint.close();
    throw error;
  }
}

async function openShard(path: string, index: string): Promise<Checkpoint> {
  const source = await openFileSource(path);
  return closeOnFailure(source, async () => {
    const format = await detectFormat(source);
    if (format !== "index") return openFile(source, format, path);
    throw new FormatError(
      `Cannot open "${index}" as shards must hold tensors: "${path}" is an index itself`,
      {
        format: "index",
      },
    );
  });
}

async function closeOnFailure(source: ByteSource, use: () => Promise<Checkpoint>): Promise<Checkpoint> {
  try {
    return await use();
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new InputError(`Cannot open "${path}" as ${reasonOf(error)}`, { input: path, cause: error });
  }
}

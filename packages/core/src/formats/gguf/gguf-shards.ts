import { basename, dirname, join, readdir } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { InputError } from "../../errors.ts";
import { MAX_SHARDS } from "../../io/limits.ts";
import { formatErrors } from "../format-errors.ts";
import { joinShards, type Shard } from "../sharded/shards.ts";
import { setEntries } from "./metadata-types.ts";

const formatError = formatErrors("GGUF");

/** Place of a shard among all shards of a split GGUF file. */
interface Split {
  /** Position of the shard, from 0. */
  readonly number: number;
  /** Number of shards. */
  readonly count: number;
  /** Number of tensors of all shards together. */
  readonly tensors: number;
}

type Metadata = Readonly<Record<string, string>>;

const [NUMBER, COUNT, TENSORS] = ["split.no", "split.count", "split.tensors.count"] as const;

/** Returns metadata without the entries that describe a shard, which hold for no other file. */
export function withoutSplit(metadata: Metadata): Metadata {
  if (metadata[COUNT] === undefined && metadata[NUMBER] === undefined && metadata[TENSORS] === undefined)
    return metadata;
  return setEntries(metadata, "u16", { [NUMBER]: undefined, [COUNT]: undefined, [TENSORS]: undefined });
}

/** Returns the metadata of a shard; of a whole file they are unchanged. */
export function withSplit(metadata: Metadata, { number, count, tensors }: Split): Metadata {
  if (count === 1) return metadata;
  const placed = setEntries(metadata, "u16", { [NUMBER]: String(number), [COUNT]: String(count) });
  return setEntries(placed, "i32", { [TENSORS]: String(tensors) });
}

/** Pattern of the names of shards, by which llama.cpp finds them: `llama-00002-of-00003.gguf`. */
const SHARD = /^(.*)-(\d+)-of-(\d+)\.gguf$/;

/**
 * Lists the names of all shards of a GGUF file, which lie in one folder, from any one of them.
 * @param path - path of the shard
 * @param metadata - metadata of the shard
 * @returns undefined if the file is no shard
 * @throws FormatError if the metadata name no possible shard, or contradict the name of the file
 * @throws InputError if a shard is missing, or there are two with one number
 */
export async function findGgufShards(
  path: string,
  metadata: Metadata,
): Promise<readonly string[] | undefined> {
  const split = splitOf(path, metadata);
  if (split === undefined) return undefined;
  const { number, count } = split;
  const what = `shard ${number + 1} of ${count} of a split GGUF file`;
  const [, stem, own, total] = SHARD.exec(basename(path)) ?? [];
  if (Number(own) !== number + 1 || Number(total) !== count) {
    throw new InputError(
      `Cannot open "${path}" as it is ${what}, by whose name the others are found, such as NAME-${pad(number + 1)}-of-${pad(count)}.gguf: name it so again, beside the others`,
      { input: path },
    );
  }
  const byNumber = new Map<number, string[]>();
  for (const name of (await readdir(dirname(path))).sort()) {
    const [, of, position, all] = SHARD.exec(name) ?? [];
    if (of === stem && Number(all) === count)
      byNumber.set(Number(position), [...(byNumber.get(Number(position)) ?? []), name]);
  }
  return Array.from({ length: count }, (_, i) => {
    const [name, double] = byNumber.get(i + 1) ?? [];
    if (name !== undefined && double === undefined) return name;
    const fault =
      name === undefined
        ? `shard ${i + 1} is missing, "${join(dirname(path), `${stem}-${pad(i + 1)}-of-${pad(count)}.gguf`)}"; download or copy it, too`
        : `shard ${i + 1} is there twice, "${name}" and "${double}"; remove one of them`;
    throw new InputError(`Cannot open "${path}" as it is ${what}, which needs all of them: ${fault}`, {
      input: path,
    });
  });
}

const pad = (number: number): string => String(number).padStart(5, "0");

function splitOf(source: string, metadata: Metadata): Split | undefined {
  const [number, count, tensors] = [NUMBER, COUNT, TENSORS].map((key) => Number(metadata[key] ?? Number.NaN));
  if (count === undefined || number === undefined || tensors === undefined) return undefined;
  // The program of llama.cpp that joins shards leaves a count of 0.
  if (!(count > 1)) return undefined;
  if (count > MAX_SHARDS)
    throw formatError(source, `there may be at most ${MAX_SHARDS} shards: ${COUNT} is ${metadata[COUNT]}`);
  if (Number.isInteger(count) && Number.isInteger(number) && number >= 0 && number < count)
    return { number, count, tensors };
  throw formatError(
    source,
    `${NUMBER} of a shard must be from 0 to below ${COUNT}, ${metadata[COUNT]}: it is ${metadata[NUMBER]}`,
  );
}

/**
 * Joins the shards of a GGUF file, which {@link findGgufShards} has found.
 * @param source - path that was named, for messages
 * @throws FormatError if a file is another shard than its name says, or a shard of another file
 */
export function joinGgufShards(source: string, shards: readonly Shard[]): Checkpoint {
  const total = shards.reduce((sum, { checkpoint }) => sum + checkpoint.tensors.size, 0);
  const splits = shards.map(({ file, checkpoint }, i) => {
    const split = splitOf(checkpoint.source, checkpoint.metadata);
    if (split?.count === shards.length && split.number === i) return { file, tensors: split.tensors };
    const actual = split === undefined ? "is no shard" : `is shard ${split.number + 1} of ${split.count}`;
    throw formatError(source, `"${file}" must be shard ${i + 1} of ${shards.length}: it ${actual}`);
  });
  const stranger = splits.find(({ tensors }) => Number.isInteger(tensors) && tensors !== total);
  if (stranger !== undefined)
    throw formatError(
      source,
      `shards must be of one file: "${stranger.file}" is of one with ${stranger.tensors} tensors, and all together have ${total}; download or copy them again`,
    );
  const [first] = shards;
  const metadata = withoutSplit(first?.checkpoint.metadata ?? {});
  return joinShards({ source, shards, index: undefined, files: [], metadata });
}

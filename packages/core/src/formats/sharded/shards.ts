import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { InputError } from "../../errors.ts";
import { at, entry } from "../../invariant.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";

const formatError = formatErrors("index");

/** An open shard, and the name of its file in an index. */
export interface Shard {
  /** Name of the shard's file, as an index names it. */
  readonly file: string;
  /** Opened shard with a part of the tensors. */
  readonly checkpoint: Checkpoint;
}

/** Shards that {@link joinShards} joins, and their source. */
export interface ShardedParts {
  /** Path of the index or the folder, for messages. */
  readonly source: string;
  /** At least one shard, in the order of their tensors. */
  readonly shards: readonly Shard[];
  /**
   * File of each tensor, if there is an index; tensors that the index does not list are not part of the
   * checkpoint.
   */
  readonly index: ReadonlyMap<string, string> | undefined;
  /** Additional paths to report as read, besides the paths of the shards. */
  readonly files: readonly string[];
  /** Metadata of the checkpoint. @defaultValue metadata of the first shard, as writers repeat them */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Joins shards into one checkpoint, which owns and closes them; its tensors are in the order of the shards.
 * @throws FormatError if a tensor is in two shards, or not in the shard that the index names.
 */
export function joinShards({ source, shards, index, files, metadata }: ShardedParts): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  const owners = new Map<string, Checkpoint>();
  for (const { file, checkpoint } of shards) {
    for (const [name, info] of checkpoint.tensors) {
      if (index !== undefined && index.get(name) !== file) continue;
      if (owners.has(name)) {
        throw formatError(
          source,
          `a tensor must be in one shard: "${name}" is in two; if each file is a network of its own, name the files, not their folder`,
        );
      }
      tensors.set(name, info);
      owners.set(name, checkpoint);
    }
  }
  for (const [name, file] of index ?? []) {
    if (!owners.has(name))
      throw formatError(source, `"${file}" must have the tensors the index says: "${name}" is not there`);
  }
  return defineCheckpoint({
    source,
    tensors,
    metadata: metadata ?? at(shards, 0, "shard").checkpoint.metadata,
    files,
    inputs: shards.map(({ checkpoint }) => checkpoint),
    readInto: async (name, begin, out) => entry(owners, name, "tensor").readRangeInto(name, begin, out),
    async close() {
      for (const { checkpoint } of shards) await checkpoint.close();
    },
  });
}

/** Parsed name of a numbered shard: `model-00002-of-00007.safetensors` is number 2 of 7 of `model`. */
interface NumberedName {
  readonly stem: string;
  readonly number: number;
  readonly total: number;
}

const REASON = "they may be left of a save or a download that was interrupted";

/**
 * Chooses the files that form the checkpoint in a folder without an index.
 *
 * The name of a numbered shard contains their total, so an incomplete set is refused: it is a remainder of a
 * killed save or an interrupted download. A folder with a set of shards and other files is refused too, as it
 * is unknown which files belong together.
 * @param names - names of the safetensors files in the folder
 * @param instead - what a folder without such files holds, for the end of the message
 * @throws InputError if there are no such files, or they do not form one checkpoint
 */
export function chooseShards(folder: string, names: readonly string[], instead = ""): readonly string[] {
  const fail = (problem: string) =>
    new InputError(`Cannot open "${folder}" as ${problem}`, { input: folder });
  if (names.length === 0) throw fail(`a folder must hold safetensors files: it has none${instead}`);
  const shard = names.find((name) => parseName(name) !== undefined);
  const set = shard === undefined ? undefined : parseName(shard);
  if (set === undefined) return names;
  const stranger = names.find((name) => !isOfSet(parseName(name), set));
  if (stranger !== undefined) {
    throw fail(
      `without an index, shards must be alone in their folder: there are "${shard}" and "${stranger}"; ${REASON}. ` +
        "Name one file, or save or download the checkpoint again",
    );
  }
  const missing = set.total - new Set(names.map((name) => parseName(name)?.number)).size;
  if (missing === 0 && names.length === set.total) return names;
  throw fail(
    `without an index, a set of shards must be whole: of ${set.total} shards there are ${names.length}; ${REASON}. ` +
      "Save or download the checkpoint again",
  );
}

/** Checks whether the name of a file is that of a numbered shard. */
export function isNumbered(name: string): boolean {
  return parseName(name) !== undefined;
}

function parseName(name: string): NumberedName | undefined {
  const [, stem, number, total] = /^(.*)-(\d+)-of-(\d+)\.(?:safetensors|gguf)$/.exec(name) ?? [];
  return stem === undefined ? undefined : { stem, number: Number(number), total: Number(total) };
}

function isOfSet(name: NumberedName | undefined, { stem, total }: NumberedName): boolean {
  return name?.stem === stem && name.total === total && name.number >= 1 && name.number <= total;
}

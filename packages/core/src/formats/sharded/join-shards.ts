import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { FormatError } from "../../errors.ts";
import { at, entry } from "../../invariant.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";

/** An open shard, and the name of its file in an index. */
export interface Shard {
  readonly file: string;
  readonly checkpoint: Checkpoint;
}

/** Shards that {@link joinShards} joins, and where they come from. */
export interface ShardedParts {
  /** The index or the folder, for messages. */
  readonly source: string;
  /** At least one shard, in the order of their tensors. */
  readonly shards: readonly Shard[];
  /** File of each tensor, if there is an index; tensors that it leaves out are not part of the checkpoint. */
  readonly index: ReadonlyMap<string, string> | undefined;
  /** Paths to report as read beside the paths of the shards. */
  readonly files: readonly string[];
}

/**
 * Joins shards into one checkpoint, which owns and closes them; its tensors are in the order of the shards.
 *
 * The metadata is taken from the first shard, as writers repeat it in each.
 * @throws FormatError if a tensor is in two shards, or not in the shard that the index names.
 */
export function joinShards({ source, shards, index, files }: ShardedParts): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  const owners = new Map<string, Checkpoint>();
  for (const { file, checkpoint } of shards) {
    for (const [name, info] of checkpoint.tensors) {
      if (index !== undefined && index.get(name) !== file) continue;
      if (owners.has(name)) throw formatError(source, `a tensor must be in one shard: "${name}" is in two`);
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
    metadata: at(shards, 0, "shard").checkpoint.metadata,
    files,
    inputs: shards.map(({ checkpoint }) => checkpoint),
    readInto: async (name, begin, out) => entry(owners, name, "tensor").readRangeInto(name, begin, out),
    async close() {
      for (const { checkpoint } of shards) await checkpoint.close();
    },
  });
}

function formatError(source: string, problem: string): FormatError {
  return new FormatError(`Cannot read "${source}" as ${problem}`, { format: "index" });
}

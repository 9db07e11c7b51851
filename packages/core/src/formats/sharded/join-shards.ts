import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { FormatError } from "../../errors.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";

/** A shard that is open, and the name by which an index knows it. */
export interface Shard {
  readonly file: string;
  readonly checkpoint: Checkpoint;
}

/** What {@link joinShards} joins. */
export interface ShardedParts {
  /** The index or the folder, for messages. */
  readonly source: string;
  /** In order. */
  readonly shards: readonly Shard[];
  /** The file of each tensor, if there is an index: what it leaves out is not part of the checkpoint. */
  readonly index: ReadonlyMap<string, string> | undefined;
  /** Paths to report as read beside those of the shards. */
  readonly files: readonly string[];
}

/**
 * Joins shards into one checkpoint, which owns them: tensors in the order of the shards.
 *
 * Metadata is that of the first shard: writers repeat it in each.
 * @throws FormatError if a tensor is in two shards, or not in the shard the index says.
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
    metadata: shards[0]?.checkpoint.metadata ?? {},
    files,
    inputs: shards.map(({ checkpoint }) => checkpoint),
    readInto: async (name, begin, out) => owners.get(name)?.readRangeInto(name, begin, out),
    async close() {
      for (const { checkpoint } of shards) await checkpoint.close();
    },
  });
}

function formatError(source: string, problem: string): FormatError {
  return new FormatError(`Cannot read "${source}" as ${problem}`, { format: "index" });
}

import { stat } from "node:fs/promises";
import { type SaveCheckpointOptions, type SaveCheckpointResult, saveCheckpoint } from "@isthmus/core";
import { type MergePlan, mergeByPlan } from "@isthmus/merging";

/** Options of {@link savePlan}. */
export interface SavePlanOptions
  extends Pick<
    SaveCheckpointOptions,
    "maxShardBytes" | "overwrite" | "allowNonFinite" | "metadata" | "signal" | "onProgress"
  > {
  /** Most threads. @defaultValue 1 */
  readonly threads?: number | undefined;
  /** Most bytes of memory. @defaultValue ranges of all networks, which do not grow with them */
  readonly memory?: number | undefined;
}

/**
 * Runs a plan and saves what it makes as safetensors; this is the one place where recipes are run. One thread
 * writes, so that it is within any number of threads.
 */
export async function savePlan(
  plan: MergePlan,
  output: string,
  { threads: _threads, memory: _memory, ...options }: SavePlanOptions,
): Promise<SaveCheckpointResult> {
  return saveCheckpoint(mergeByPlan(plan), output, {
    ...options,
    maxShardBytes: options.maxShardBytes ?? (await shardBytesOf(plan)),
  });
}

/**
 * Finds the size of shards: that of the largest file of the first network that has several, else no limit.
 */
async function shardBytesOf({ networks }: MergePlan): Promise<number> {
  for (const { files } of networks) {
    const weights = files.filter((file) => file.endsWith(".safetensors"));
    if (weights.length < 2) continue;
    const sizes = await Promise.all(weights.map(async (file) => (await stat(file)).size));
    return Math.max(...sizes);
  }
  return Number.POSITIVE_INFINITY;
}

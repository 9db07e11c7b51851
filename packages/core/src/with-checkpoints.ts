import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { openCheckpoint } from "./open-checkpoint.ts";

/** Opened checkpoints, one for every path. */
type Checkpoints<P extends readonly string[]> = { readonly [I in keyof P]: Checkpoint };

/**
 * Opens checkpoints, passes them to `work` in the same order, and closes them whatever happens.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { withCheckpoints } from "@isthmus/core";
 *
 * const paths = ["examples/mnist-mlp/s0.safetensors", "examples/mnist-mlp/s1.safetensors"] as const;
 * const sizes = await withCheckpoints(paths, async ([a, b]) => [a.tensors.size, b.tensors.size]);
 * assert.deepEqual(sizes, [8, 8]);
 * ```
 */
export async function withCheckpoints<const P extends readonly string[], T>(
  paths: P,
  work: (checkpoints: Checkpoints<P>) => Promise<T>,
): Promise<T> {
  const open: Checkpoint[] = [];
  try {
    for (const path of paths) open.push(await openCheckpoint(path));
    return await work(open as Checkpoints<P>);
  } finally {
    for (const checkpoint of open) await checkpoint.close();
  }
}

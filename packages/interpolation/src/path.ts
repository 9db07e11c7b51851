import { assertCheckpoint, type Checkpoint, OutOfRangeError } from "@isthmus/core";
import { lerp } from "./lerp.ts";
import { slerp } from "./slerp.ts";

/**
 * A curve of networks: returns the checkpoint at `t` in `[0, 1]`. At 0 and 1 it equals the endpoints, bit for
 * bit.
 */
export type Path = (t: number) => Checkpoint;

/** Kind of a path between two checkpoints. */
export type PathKind = "linear" | "spherical";

/** Names of all path kinds. */
export const PATH_KINDS: readonly PathKind[] = ["linear", "spherical"];

/**
 * Returns the path of a kind from `a` to `b`.
 * @throws OutOfRangeError if the kind is unknown
 * @throws MismatchError if names or shapes differ, when the path is followed
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { createPath } from "@isthmus/interpolation";
 *
 * const vector = (x: number) => createTensor("f32", [2], Float32Array.of(x, 4 - x));
 * const network = (x: number) => createCheckpoint({ w: vector(x) });
 * const path = createPath("linear", network(0), network(4));
 * assert.deepEqual((await path(0.25).read("w")).data, Float32Array.of(1, 3));
 * ```
 */
export function createPath(kind: PathKind, a: Checkpoint, b: Checkpoint): Path {
  if (!PATH_KINDS.includes(kind)) {
    throw new OutOfRangeError(
      `Cannot create a path as its kind must be one of ${PATH_KINDS.join(", ")}: it is ${kind}`,
    );
  }
  for (const end of [a, b]) assertCheckpoint("create a path", end);
  const point = kind === "linear" ? lerp : slerp;
  return (t) => point(a, b, t);
}

import type { Checkpoint } from "@isthmus/core";
import { lerp } from "./lerp.ts";
import { slerp } from "./slerp.ts";

/** A curve of networks: the checkpoint at each t in `[0, 1]`; ends are the endpoints themselves, bit for bit. */
export type Path = (t: number) => Checkpoint;

/** Paths between two checkpoints. */
export type PathKind = "linear" | "spherical";

/** Names of all path kinds. */
export const PATH_KINDS: readonly PathKind[] = ["linear", "spherical"];

/**
 * Returns the path of a kind from `a` to `b`.
 * @throws MismatchError if names or shapes differ, when the path is followed
 */
export function createPath(kind: PathKind, a: Checkpoint, b: Checkpoint): Path {
  const point = kind === "linear" ? lerp : slerp;
  return (t) => point(a, b, t);
}

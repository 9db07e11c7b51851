import { at } from "@isthmus/core";
import { type MergeTreeOptions, mergeTree } from "./merge-tree.ts";
import type { MergeTree } from "./merge-tree-result.ts";
import { type SaddleMinimumDistance, saddleMinimumDistance } from "./saddle-minimum-distance.ts";

/** Minima, saddles and merge tree of values on a grid, and how rough they are. */
export interface GridTopology extends MergeTree {
  readonly saddleMinimumDistance: SaddleMinimumDistance;
}

/**
 * Finds minima, saddles and the merge tree of values on a grid of any dimension, such as the losses of a
 * landscape or of a barrier, and their saddle-minimum average distance.
 * @param values - in row-major order
 * @param shape - extents of the grid
 * @throws OutOfRangeError if there are not as many values as places, or an option is out of range
 */
export function gridTopology(
  values: ArrayLike<number>,
  shape: readonly number[],
  options: MergeTreeOptions = {},
): GridTopology {
  const tree = mergeTree(values, shape, options);
  return { ...tree, saddleMinimumDistance: saddleMinimumDistance(tree) };
}

/** Losses of a result: on a line of points, on a plane of rows, or on a grid. */
type MeasuredLosses =
  | { readonly points: readonly { readonly loss: number }[] }
  | { readonly loss: readonly (readonly number[])[] }
  | { readonly axes: readonly (readonly number[])[]; readonly loss: readonly number[] };

/**
 * Finds minima, saddles and the merge tree of the losses of a barrier, a plane or a landscape.
 * @throws OutOfRangeError if there are not as many losses as places, or an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { topologyOf } from "isthmus";
 *
 * // A barrier: losses on the way from one network to another.
 * const points = [0.1, 0.9, 1.4, 0.6, 0.2].map((loss, i) => ({ t: i / 4, loss, error: 0 }));
 * const { minima, saddles } = topologyOf({ points });
 * assert.equal(minima.length, 2);
 * assert.equal(saddles[0]?.value, 1.4);
 * ```
 */
export function topologyOf(result: MeasuredLosses, options: MergeTreeOptions = {}): GridTopology {
  if ("points" in result) {
    const losses = result.points.map(({ loss }) => loss);
    return gridTopology(losses, [losses.length], options);
  }
  if ("axes" in result) {
    const shape = result.axes.map(({ length }) => length);
    return gridTopology(result.loss, shape, options);
  }
  return gridTopology(result.loss.flat(), [result.loss.length, at(result.loss, 0, "row").length], options);
}

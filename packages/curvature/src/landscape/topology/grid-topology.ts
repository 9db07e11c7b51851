import { at } from "@isthmus/core";
import { type MergeTreeOptions, mergeTree } from "./merge-tree.ts";
import type { MergeTree } from "./merge-tree-result.ts";
import { type SaddleMinimumDistance, saddleMinimumDistance } from "./saddle-minimum-distance.ts";

/** Minima, saddles and merge tree of values on a grid, and how rough they are. */
export interface GridTopology extends MergeTree {
  /** Mean rise from minima to the saddles at which their branches first meet others. */
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
 * Least persistence of a minimum as a share of the range of losses, so that rounding errors make no minima.
 */
const LEAST_SHARE = 1e-3;

/**
 * Finds minima, saddles and the merge tree of the losses of a barrier, a plane or a landscape. Unless
 * `leastPersistence` says otherwise, minima that persist less than a thousandth of the range of losses are
 * left out.
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
  const { losses, shape } = gridOf(result);
  const finite = losses.filter(Number.isFinite);
  const range = finite.length === 0 ? 0 : Math.max(...finite) - Math.min(...finite);
  return gridTopology(losses, shape, { leastPersistence: LEAST_SHARE * range, ...options });
}

/** Returns the losses of a result in row-major order, and the extents of their grid. */
function gridOf(result: MeasuredLosses): { readonly losses: readonly number[]; readonly shape: number[] } {
  if ("points" in result) {
    return { losses: result.points.map(({ loss }) => loss), shape: [result.points.length] };
  }
  if ("axes" in result) return { losses: result.loss, shape: result.axes.map(({ length }) => length) };
  return { losses: result.loss.flat(), shape: [result.loss.length, at(result.loss, 0, "row").length] };
}

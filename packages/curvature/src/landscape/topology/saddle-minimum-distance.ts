import { at, sizeOf } from "@isthmus/core";
import type { MergeTree } from "./merge-tree-result.ts";

/** The saddle-minimum average distance (SMAD) of a grid, in the ways it is defined. */
export interface SaddleMinimumDistance {
  /**
   * Mean over minima of the rise to the saddle at which their branch first meets another; 0 if there is no
   * saddle.
   */
  readonly mean: number;
  /** Mean rise divided by the difference of the highest and the lowest value. */
  readonly normalized: number;
  /** Mean of the rise times the share of the grid from which the steepest way down ends in the minimum. */
  readonly weighted: number;
}

/**
 * Computes the saddle-minimum average distance of a merge tree, by which Landscaper 1.3 measures how rough a
 * landscape is: over all minima, the deepest included, the mean rise to the first saddle of their branch.
 *
 * It differs from the mean persistence: persistence is the rise to the saddle at which a minimum meets a
 * deeper one, even if it meets a shallower one before.
 *
 * Source: Vis4SciML/Landscaper 1.3.1, `LossLandscape.smad`; arXiv:2602.07135.
 */
export function saddleMinimumDistance({
  minima,
  saddles,
  shape,
  range,
  missing,
}: MergeTree): SaddleMinimumDistance {
  const places = sizeOf(shape) - missing;
  const rises = minima.flatMap(({ value, saddle, basin }) =>
    saddle === undefined
      ? []
      : [{ rise: at(saddles, saddle, "saddle").value - value, share: basin / places }],
  );
  if (rises.length === 0) return { mean: 0, normalized: 0, weighted: 0 };
  const mean = rises.reduce((sum, { rise }) => sum + rise, 0) / rises.length;
  const weighted = rises.reduce((sum, { rise, share }) => sum + rise * share, 0) / rises.length;
  return { mean, normalized: range > 0 ? mean / range : 0, weighted };
}

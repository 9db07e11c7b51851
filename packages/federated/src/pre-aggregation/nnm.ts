import { at, OutOfRangeError, sumOf } from "@isthmus/core";
import { F, type FSpecs } from "../rules/parameters.ts";
import { orderBy, sizeOfGram, squaredDistances } from "../rules/points.ts";
import type { PreAggregation } from "./pre-aggregation.ts";

/**
 * Nearest-neighbour mixing: each update becomes the mean of the `n - f` that are nearest to it, itself among
 * them.
 *
 * All of these count equally, as in the paper. A new point's share of the examples is in proportion to the
 * sum of the shares of the updates that it is made of.
 */
export const nnm: PreAggregation<FSpecs> = {
  name: "nnm",
  description: "Replaces each update by the mean of its nearest ones, all but f.",
  source: "Allouah et al., Fixing by mixing, 2023, algorithm 2",
  parameters: { f: F },
  needsGram: true,
  mix(points, { f }) {
    const { count, shares } = points;
    if (f >= count) {
      throw new OutOfRangeError(
        `Cannot mix ${count} updates by nnm as "f" must be below their number: it is ${f}; wait for more clients`,
      );
    }
    const squares = squaredDistances(points);
    const size = sizeOfGram(points);
    const mixture = shares.map((_, i) => {
      // Its own distance is below all others, so that an update that another equals is still its own
      // neighbour.
      const distances = shares.map((_, j) => (i === j ? -1 : at(squares, i * size + j)));
      const row = shares.map(() => 0);
      for (const j of orderBy(distances).slice(0, count - f)) row[j] = 1 / (count - f);
      return row;
    });
    const sums = mixture.map((row) => row.reduce((sum, weight, j) => sum + weight * at(shares, j), 0));
    const total = sumOf(sums);
    return { mixture, shares: sums.map((value) => value / total) };
  },
};

import { at, OutOfRangeError } from "@isthmus/core";
import { F, type FSpecs } from "../rules/parameters.ts";
import { normsOf } from "../rules/points.ts";
import { clipPoints } from "./clip-points.ts";
import type { PreAggregation } from "./pre-aggregation.ts";

/**
 * Adaptive robust clipping: the `floor(2 f (n - f) / n)` longest updates are shortened to the length of the
 * longest of the others.
 */
export const arc: PreAggregation<FSpecs> = {
  name: "arc",
  description: "Shortens the longest updates to the length of the next one.",
  source: "Allouah et al., Adaptive gradient clipping for robust federated learning, 2025, algorithm 2",
  parameters: { f: F },
  needsGram: true,
  mix(points, { f }) {
    const { count } = points;
    if (f >= count) {
      throw new OutOfRangeError(
        `Cannot clip ${count} updates by arc as "f" must be below their number: it is ${f}; wait for more clients`,
      );
    }
    const clipped = Math.floor((2 * f * (count - f)) / count);
    return clipPoints(points, at(Float64Array.from(normsOf(points)).sort(), count - clipped - 1));
  },
};

import { at, sumOf } from "@isthmus/core";
import type { LinearRule } from "./aggregation-rule.ts";
import { distancesFrom, squaredDistances } from "./points.ts";

const PARAMETERS = {
  radius: {
    description: "Distance from the carried point beyond which a client moves it no further.",
    of: "merge",
    least: 0,
  },
  iterations: {
    description: "How often to move the point.",
    of: "merge",
    default: 1,
    least: 1,
    whole: true,
  },
} as const;

/**
 * The aggregate of the round before, moved by the mean of the ways to all updates, none longer than a radius.
 *
 * Clients count equally, as in the paper and in byzfl 0.0.11. There is no radius that suits all networks, so
 * it must be given: with most networks byzfl's default of 100 clips nothing.
 */
export const centredClipping: LinearRule<typeof PARAMETERS> = {
  kind: "linear",
  name: "centred-clipping",
  description: "Moves the aggregate of the round before towards all updates, by no more than a radius each.",
  source: "Karimireddy et al., Learning from history for Byzantine robust optimization, 2021, equation 3",
  parameters: PARAMETERS,
  needs: ["gram"],
  robust: true,
  carries: true,
  weigh(points, { radius, iterations }) {
    const { count } = points;
    const squares = squaredDistances(points);
    let weights = Array.from({ length: count + 1 }, (_, i) => Number(i === count));
    for (let step = 0; step < iterations; step++) {
      const shares = distancesFrom(weights, squares)
        .slice(0, count)
        .map((distance) => Math.min(1, distance === 0 ? 1 : radius / distance) / count);
      const moved = sumOf(shares);
      weights = weights.map((weight, i) => weight * (1 - moved) + (i < count ? at(shares, i) : 0));
    }
    return { weights, chosen: Array.from({ length: count }, (_, i) => i) };
  },
};

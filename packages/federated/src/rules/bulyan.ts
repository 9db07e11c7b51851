import { at } from "@isthmus/core";
import type { CoordinateRule } from "./aggregation-rule.ts";
import { averageClosestInto } from "./average-closest.ts";
import { krumScorer } from "./krum-scores.ts";
import { F, type FSpecs } from "./parameters.ts";
import { orderBy, squaredDistances } from "./points.ts";

/**
 * The mean, in each element, of the `n - 4 f` values that are closest to the median of `n - 2 f` updates;
 * these are chosen one by one, each by Krum of the others.
 *
 * Flower 1.42 chooses all at once by the scores of the first round, which the paper does not; its legacy
 * strategies do as this.
 */
export const bulyan: CoordinateRule<FSpecs> = {
  kind: "coordinates",
  name: "bulyan",
  description: "Chooses updates by Krum again and again, and averages the values closest to their median.",
  source: "El Mhamdi et al., The hidden vulnerability of distributed learning in Byzantium, 2018, section 4",
  parameters: { f: F },
  needs: ["gram"],
  robust: true,
  least: ({ f }) =>
    f === 0
      ? { count: 1, reason: "without attackers all updates are averaged" }
      : { count: 4 * f + 3, reason: "Bulyan needs 4 f + 3 updates to resist f" },
  choose(points, { f }) {
    const scoresOf = krumScorer(squaredDistances(points), f);
    const rest = Array.from({ length: points.count }, (_, i) => i);
    const chosen: number[] = [];
    while (chosen.length < points.count - 2 * f) {
      const best = at(orderBy(scoresOf(rest)), 0, "point");
      chosen.push(...rest.splice(best, 1));
    }
    return chosen.sort((i, j) => i - j);
  },
  combineInto(values, { f }, out) {
    averageClosestInto(values, values.length - 2 * f, out);
  },
};

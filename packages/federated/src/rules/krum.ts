import { at } from "@isthmus/core";
import type { LinearRule } from "./aggregation-rule.ts";
import { krumScorer, leastOfKrum } from "./krum-scores.ts";
import { F, type FSpecs } from "./parameters.ts";
import { orderBy, squaredDistances, weightsOfChosen } from "./points.ts";

/**
 * The one update that is nearest to its neighbours.
 *
 * Flower 1.42 computes distances of whole networks in f32, where they cancel; byzfl 0.0.11 counts one
 * neighbour more, which is this rule with `f - 1`.
 */
export const krum: LinearRule<FSpecs> = {
  kind: "linear",
  name: "krum",
  description: "Takes the one update whose nearest others are nearest.",
  source: "Blanchard et al., Machine learning with adversaries, 2017, section 4",
  parameters: { f: F },
  needs: ["gram"],
  robust: true,
  least: leastOfKrum,
  weigh(points, { f }) {
    const all = Array.from({ length: points.count }, (_, i) => i);
    const best = at(orderBy(krumScorer(squaredDistances(points), f)(all)), 0, "point");
    return { weights: weightsOfChosen(points, [best], false) };
  },
};

import type { LinearRule } from "./aggregation-rule.ts";
import { krumScorer, leastOfKrum } from "./krum-scores.ts";
import { F, type FSpecs, type OfMerge, weightedBy } from "./parameters.ts";
import { orderBy, squaredDistances, weightsOfChosen } from "./points.ts";

type MultiKrumSpecs = FSpecs & {
  readonly select: OfMerge<number>;
  readonly weighted: OfMerge<boolean>;
};

const PARAMETERS: MultiKrumSpecs = {
  f: F,
  select: {
    description: "Number of updates to average; 0 takes all but `f`.",
    of: "merge",
    default: 0,
    least: 0,
    whole: true,
  },
  weighted: weightedBy(false),
};

/**
 * The mean of the updates that are nearest to their neighbours.
 *
 * The mean is of equal weights, as in the paper; Flower's mean is weighted by examples (`weighted`), and by
 * default is of one update. byzfl 0.0.11 counts one neighbour more.
 */
export const multiKrum: LinearRule<MultiKrumSpecs> = {
  kind: "linear",
  name: "multi-krum",
  description: "Averages the updates whose nearest others are nearest.",
  source: "Blanchard et al., Machine learning with adversaries, 2017, section 4 and Multi-Krum of section 5",
  parameters: PARAMETERS,
  needs: ["gram"],
  robust: true,
  least: leastOfKrum,
  weigh(points, { f, select, weighted }) {
    const all = Array.from({ length: points.count }, (_, i) => i);
    const best = orderBy(krumScorer(squaredDistances(points), f)(all));
    const chosen = best.slice(0, select === 0 ? Math.max(1, points.count - f) : select);
    return { weights: weightsOfChosen(points, chosen, weighted) };
  },
};

import { at } from "@isthmus/core";
import type { PreAggregation } from "./pre-aggregation.ts";

const PARAMETERS = {
  size: {
    description: "Number of updates in a bucket; the last one has what is left.",
    of: "merge",
    default: 2,
    least: 1,
    whole: true,
  },
} as const;

/**
 * Bucketing: updates are put in random buckets, and each bucket becomes the mean of its updates.
 *
 * Buckets are drawn from the seed, differently in each round. A bucket with an attacker counts as an
 * attacker, so the rule that follows must resist the same number of attackers among fewer points.
 */
export const bucketing: PreAggregation<typeof PARAMETERS> = {
  name: "bucketing",
  description: "Puts updates in random buckets and replaces each bucket by its mean.",
  source:
    "Karimireddy et al., Byzantine-robust learning on heterogeneous datasets via bucketing, 2022, algorithm 1",
  parameters: PARAMETERS,
  needsGram: false,
  mix({ count, shares }, { size }, random) {
    const order = random.shuffleInPlace(Array.from({ length: count }, (_, i) => i));
    const buckets = Array.from({ length: Math.ceil(count / size) }, (_, b) =>
      order.slice(b * size, (b + 1) * size),
    );
    return {
      mixture: buckets.map((bucket) => shares.map((_, i) => (bucket.includes(i) ? 1 / bucket.length : 0))),
      shares: buckets.map((bucket) => bucket.reduce((sum, i) => sum + at(shares, i), 0)),
    };
  },
};

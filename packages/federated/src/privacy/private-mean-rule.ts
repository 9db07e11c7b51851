import type { LinearRule } from "../rules/aggregation-rule.ts";
import type { OfMerge } from "../rules/parameters.ts";
import { normsOf } from "../rules/points.ts";
import { clipWeights } from "./clip-weights.ts";
import { privateWeights } from "./private-mean.ts";

type PrivateMeanSpecs = { readonly clip: OfMerge<number>; readonly clients: OfMerge<number> };

const PARAMETERS: PrivateMeanSpecs = {
  clip: {
    description: "Largest length that the displacement of a client may have; longer ones are shortened.",
    of: "merge",
    least: 0,
  },
  clients: {
    description: "Number of clients that is expected of a round, by which the sum is divided.",
    of: "merge",
    least: 0,
  },
};

/**
 * The sum of clipped updates, which all have the same weight whatever their examples, divided by the expected
 * number of clients: private once noise is added. The rule is not in the registry, as `privacy` of a strategy
 * sets it.
 */
export const privateMean: LinearRule<PrivateMeanSpecs> = {
  kind: "linear",
  name: "private-mean",
  description: "Averages clipped updates equally, divided by the number of clients that was expected.",
  source: "McMahan et al., Learning differentially private recurrent language models, 2018, section 2",
  parameters: PARAMETERS,
  needs: ["norms"],
  weigh(points, { clip, clients }) {
    const clipped = clipWeights(normsOf(points), clip);
    const equal = clipped.map(() => 1);
    return { weights: privateWeights(clipped, equal, { examplesCap: 1, expectedWeight: clients }) };
  },
};

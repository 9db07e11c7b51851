import type { MergeMethod } from "../merge-method.ts";
import type { ParameterSpecs, TensorParameters } from "../parameters.ts";
import { addWeightedInto, positionsOfWeight } from "../weighted-sum.ts";

/** What an average over checkpoints of one run says of itself. */
export interface SeriesMethod<P extends ParameterSpecs>
  extends Pick<MergeMethod<P>, "name" | "description" | "source" | "parameters"> {
  /** Returns the weight of each checkpoint, oldest first, of sum 1. */
  weightsOf(parameters: TensorParameters<P>, count: number): readonly number[];
}

/**
 * Makes a merge method of a rule that gives each checkpoint of one run a weight, by its place in the run.
 *
 * Networks are listed from the oldest to the latest, and counters are taken from the latest.
 */
export function defineSeriesMethod<const P extends ParameterSpecs>({
  weightsOf,
  ...method
}: SeriesMethod<P>): MergeMethod<P, readonly number[]> {
  return {
    ...method,
    networks: { least: 1, base: "none" },
    integersFrom: (_, count) => count - 1,
    networksRead: (parameters, count) => positionsOfWeight(weightsOf(parameters, count)),
    survey: ({ parameters, networks }) => weightsOf(parameters, networks.length),
    blendInto: ({ parts, survey: weights }, out) => addWeightedInto(parts, weights, out),
  };
}

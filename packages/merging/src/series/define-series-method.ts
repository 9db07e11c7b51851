import type { MergeMethod } from "../merge-method.ts";
import type { ParameterSpecs, TensorParameters } from "../parameters.ts";
import { addWeightedInto, positionsOfWeight } from "../weighted-sum.ts";

/** Definition of an average over checkpoints of one run. */
export interface SeriesMethod<P extends ParameterSpecs>
  extends Pick<MergeMethod<P>, "name" | "description" | "source" | "parameters" | "findConflict"> {
  /** Returns the weight of each checkpoint, oldest first; their sum is 1. */
  weightsOf(parameters: TensorParameters<P>, count: number): readonly number[];
}

/**
 * Makes a merge method from a rule that gives each checkpoint of one run a weight, by its position in the
 * run.
 *
 * Networks are listed from the oldest to the latest, and integer tensors such as counters are copied from the
 * latest.
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

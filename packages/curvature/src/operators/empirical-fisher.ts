import { gradientOuterProduct } from "@isthmus/autodiff";
import { type Checkpoint, resolveOptions, UnsupportedError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { type ExactCurvature, openExactOperator } from "./open-operator.ts";
import {
  CURVATURE_OPERATOR_DEFAULTS,
  type CurvatureOperator,
  type CurvatureOperatorOptions,
} from "./operator-options.ts";

const FISHER: ExactCurvature = {
  kind: "empirical-fisher",
  attempt: "compute empirical Fisher information",
  derive({ graph, loss, losses }, names) {
    if (losses !== undefined) return gradientOuterProduct(graph, { loss, losses, withRespectTo: names });
    throw new UnsupportedError(
      `Cannot ${FISHER.attempt} of graph "${graph.name}" as losses of single examples must be known: "${loss}" is computed by the graph itself; take a loss of kind cross-entropy, next-token or mean-squared-error`,
      { feature: "loss of kind output" },
    );
  },
  // The graph takes the gradient of an example's share of the mean loss, and uses it twice in each product.
  factor: (count) => count,
};

/**
 * Creates the empirical Fisher information of a network in inference mode: the mean over examples of `g g'`,
 * where `g` is the gradient of the loss of the example for its label in the data. It is positive
 * semi-definite. Release it once it is not needed any more.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if the graph computes the loss itself, or an operator has no gradient rule
 */
export async function empiricalFisher(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: CurvatureOperatorOptions = {},
): Promise<CurvatureOperator> {
  const resolved = resolveOptions(FISHER.attempt, CURVATURE_OPERATOR_DEFAULTS, options);
  return openExactOperator(FISHER, { graph, engine, network, data }, resolved);
}

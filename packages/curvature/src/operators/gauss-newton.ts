import { gaussNewtonProduct } from "@isthmus/autodiff";
import { type Checkpoint, resolveOptions, UnsupportedError } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";
import { type ExactCurvature, openExactOperator } from "./open-operator.ts";
import {
  CURVATURE_OPERATOR_DEFAULTS,
  type CurvatureOperator,
  type CurvatureOperatorOptions,
} from "./operator-options.ts";

const GAUSS_NEWTON: ExactCurvature = {
  kind: "gauss-newton",
  attempt: "compute a Gauss-Newton matrix",
  derive({ graph, loss, output }, names) {
    if (output === undefined) throw lossOfGraph(graph, loss);
    return gaussNewtonProduct(graph, { loss, output, withRespectTo: names });
  },
  factor: () => 1,
};

/**
 * Creates the Gauss-Newton matrix `J' H J` of the mean loss of a network in inference mode, exactly: `J` is
 * the Jacobian of its output by the parameters, `H` the Hessian of the loss by the output. For cross-entropy
 * it is the Fisher information, whose labels are drawn from the network's own probabilities. It is positive
 * semi-definite. Release it once it is not needed any more.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if the graph computes the loss itself, or an operator has no gradient rule
 */
export async function gaussNewton(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: CurvatureOperatorOptions = {},
): Promise<CurvatureOperator> {
  const resolved = resolveOptions(GAUSS_NEWTON.attempt, CURVATURE_OPERATOR_DEFAULTS, options);
  const { loss } = resolved;
  if (loss?.kind === "output" && loss.prediction === undefined) throw lossOfGraph(graph, loss.output);
  return openExactOperator(GAUSS_NEWTON, { graph, engine, network, data }, resolved);
}

function lossOfGraph(graph: Graph, loss: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot ${GAUSS_NEWTON.attempt} of graph "${graph.name}" as its loss must be a function of an output: "${loss}" is computed by the graph itself; take the Hessian, or a loss of kind cross-entropy, next-token or mean-squared-error`,
    { feature: "loss of kind output" },
  );
}

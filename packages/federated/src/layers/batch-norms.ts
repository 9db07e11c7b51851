import type { Checkpoint } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/** Names of the weights of batch norms. */
export interface BatchNormTensors {
  /** Scales and shifts, which are trained. */
  readonly parameters: ReadonlySet<string>;
  /** Running means and variances, which are measured. */
  readonly statistics: ReadonlySet<string>;
}

/**
 * Returns the names of the weights of all batch norms of a graph, or, without a graph, of the tensors that
 * PyTorch and Keras name as their statistics.
 */
export function batchNorms(graph: Graph | undefined, network: Checkpoint): BatchNormTensors {
  if (graph === undefined) return normsByName(network);
  const norms = graph.nodes.filter(({ op }) => op === "BatchNormalization");
  const weightsAt = (begin: number, end: number) =>
    norms.flatMap(({ inputs }) => inputs.slice(begin, end)).filter((name) => graph.weights.has(name));
  // The operator's inputs are x, scale, shift, mean and variance.
  return { parameters: new Set(weightsAt(1, 3)), statistics: new Set(weightsAt(3, 5)) };
}

/** Names of statistics in PyTorch and in Keras. */
const STATISTICS = /^(.*[./])?(running_mean|running_var|moving_mean|moving_variance)$/;
/** Names of the trained parameters of batch norms in PyTorch and in Keras. */
const PARAMETERS = ["weight", "bias", "gamma", "beta"];

function normsByName({ tensors }: Checkpoint): BatchNormTensors {
  const statistics = [...tensors.keys()].filter((name) => STATISTICS.test(name));
  const layers = new Set(statistics.map((name) => name.replace(STATISTICS, "$1")));
  const parameters = [...layers].flatMap((layer) => PARAMETERS.map((name) => `${layer}${name}`));
  return {
    parameters: new Set(parameters.filter((name) => tensors.has(name))),
    statistics: new Set(statistics),
  };
}

import type { Graph } from "@isthmus/graph";

/** Names of the weights of batch norms. */
export interface BatchNormTensors {
  /** Scales and shifts, which are trained. */
  readonly parameters: ReadonlySet<string>;
  /** Running means and variances, which are measured. */
  readonly statistics: ReadonlySet<string>;
}

/** Returns the names of the weights of all batch norms of a graph. */
export function batchNorms(graph: Graph): BatchNormTensors {
  const [parameters, statistics] = [new Set<string>(), new Set<string>()];
  for (const { op, inputs } of graph.nodes) {
    if (op !== "BatchNormalization") continue;
    const [, scale, shift, mean, variance] = inputs;
    for (const name of [scale, shift])
      if (name !== undefined && graph.weights.has(name)) parameters.add(name);
    for (const name of [mean, variance])
      if (name !== undefined && graph.weights.has(name)) statistics.add(name);
  }
  return { parameters, statistics };
}

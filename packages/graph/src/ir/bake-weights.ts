import type { Tensor } from "@isthmus/core";
import type { Graph } from "./graph.ts";

/**
 * Returns the graph with some weights as constants, so that an engine can prepare them once: fold batch
 * norms, choose blocked layouts. Tensors that are not weights of the graph are ignored.
 */
export function bakeWeights(graph: Graph, tensors: ReadonlyMap<string, Tensor>): Graph {
  const weights = new Map(graph.weights);
  const constants = new Map(graph.constants);
  for (const [name, tensor] of tensors) {
    if (weights.delete(name)) constants.set(name, tensor);
  }
  return { ...graph, weights, constants };
}

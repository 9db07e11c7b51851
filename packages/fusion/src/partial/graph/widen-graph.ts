import { entry, InvariantError, type Tensor } from "@isthmus/core";
import type { Graph, Node, WeightInfo } from "@isthmus/graph";
import { pruneNodes } from "@isthmus/graph/ir";
import { type SeparableGraph, type Widening, widenedWeightShapes } from "./plan-widening.ts";
import { widenNode } from "./widen-node.ts";

/** Makes the graph of the wide network: weights have the new shapes, and nodes the new widths. */
export function widenGraph(separable: SeparableGraph, { values, weights: planned }: Widening): Graph {
  const { graph } = separable.probed;
  const shapes = widenedWeightShapes(graph, separable, planned);
  const weights = new Map<string, WeightInfo>();
  for (const [name, info] of graph.weights) {
    weights.set(name, { ...info, shape: entry(shapes, name, "weight") });
  }
  const constants = new Map<string, Tensor>(graph.constants);
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const widened = widenNode(node, separable.probed, values);
    if ("refusal" in widened) throw new InvariantError(`node "${node.name}" was found to be separable`);
    nodes.push(widened.node);
    for (const [name, tensor] of widened.constants) constants.set(name, tensor);
  }
  const { types: _, ...untyped } = graph;
  return pruneNodes({ ...untyped, weights, constants, nodes });
}

import { capturedNames } from "./captured-names.ts";
import type { Graph, Node } from "./graph.ts";
import { returnedNames } from "./restrict-outputs.ts";

/**
 * Returns the graph without nodes and constants that are not needed by an output, by an output that does not
 * count, or by the scored value; inputs and weights are kept.
 */
export function pruneNodes(graph: Graph): Graph {
  const needed = new Set(returnedNames(graph));
  if (graph.scored !== undefined) needed.add(graph.scored);
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => name !== "" && needed.has(name))) continue;
    nodes.push(node);
    for (const name of [...node.inputs, ...capturedNames(node)]) needed.add(name);
  }
  return {
    ...graph,
    nodes: nodes.reverse(),
    constants: new Map([...graph.constants].filter(([name]) => needed.has(name))),
  };
}

import { OutOfRangeError } from "@isthmus/core";
import { capturedNames } from "./captured-names.ts";
import type { Graph, Node, ValueInfo } from "./graph.ts";

/**
 * Returns the part of a graph that computes some values from others: the nodes between, and the weights
 * and constants that they use.
 * @param inputs - values that will be fed and become data inputs, f32 if neither they nor the graph state a
 *   type; data inputs of the graph that are needed and not listed stay inputs
 * @param outputs - names of the values to compute, which become the outputs
 * @throws OutOfRangeError if an output is neither computed nor an input
 */
export function extractSubgraph(
  graph: Graph,
  inputs: readonly ValueInfo[],
  outputs: readonly string[],
): Graph {
  const fed = new Set(inputs.map(({ name }) => name));
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) if (name !== "") producer.set(name, node);
  }
  assertReachable(graph, outputs, (name) => producer.has(name) || fed.has(name));
  const { nodes, values } = walkBack(producer, fed, outputs);
  const info = new Map([...graph.inputs, ...graph.outputs].map((value) => [value.name, value]));
  const isNeeded = ([name]: readonly [string, unknown]) => values.has(name) && !fed.has(name);
  return {
    ...graph,
    inputs: [
      ...graph.inputs.filter(({ name }) => values.has(name) && !fed.has(name)),
      ...inputs.map((value) => ({ dtype: "f32" as const, ...info.get(value.name), ...value })),
    ],
    weights: new Map([...graph.weights].filter(isNeeded)),
    constants: new Map([...graph.constants].filter(isNeeded)),
    nodes: graph.nodes.filter((node) => nodes.has(node)),
    outputs: outputs.map((name) => info.get(name) ?? { name }),
  };
}

/** Collects the nodes that compute the outputs, and all values that these nodes read. */
function walkBack(
  producer: ReadonlyMap<string, Node>,
  fed: ReadonlySet<string>,
  outputs: readonly string[],
): { readonly nodes: ReadonlySet<Node>; readonly values: ReadonlySet<string> } {
  const nodes = new Set<Node>();
  const values = new Set<string>();
  const pending = [...outputs];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (values.has(name)) continue;
    values.add(name);
    const node = fed.has(name) ? undefined : producer.get(name);
    if (node === undefined || nodes.has(node)) continue;
    nodes.add(node);
    pending.push(...node.inputs, ...capturedNames(node));
  }
  return { nodes, values };
}

function assertReachable(
  graph: Graph,
  outputs: readonly string[],
  isReachable: (name: string) => boolean,
): void {
  const missing = outputs.find((name) => !isReachable(name));
  if (missing !== undefined) {
    throw new OutOfRangeError(
      `Cannot extract value "${missing}" as no node of graph "${graph.name}" computes it`,
    );
  }
}

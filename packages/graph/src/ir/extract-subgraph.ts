import type { Graph, Node } from "./graph.ts";

/**
 * Returns the part of a graph that computes some values from others: the nodes between, and the weights and
 * constants they use. Values given become data inputs.
 * @param given - values that will be fed; data inputs of the graph that are needed and not listed stay inputs
 * @param wanted - values to compute, which become the outputs
 * @throws RangeError if a wanted value is neither computed nor given
 */
export function extractSubgraph(graph: Graph, given: readonly string[], wanted: readonly string[]): Graph {
  const fed = new Set(given);
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) producer.set(name, node);
  const kept = new Set<Node>();
  const used = new Set<string>();
  const pending = [...wanted];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    const node = fed.has(name) ? undefined : producer.get(name);
    if (node === undefined || kept.has(node)) continue;
    kept.add(node);
    pending.push(...node.inputs);
  }
  assertReachable(graph, wanted, (name) => producer.has(name) || fed.has(name));
  const info = new Map([...graph.inputs, ...graph.outputs].map((value) => [value.name, value]));
  const inputs = graph.inputs.filter(({ name }) => used.has(name) && !fed.has(name));
  return {
    ...graph,
    inputs: [...inputs, ...given.map((name) => info.get(name) ?? { name, dtype: "f32" as const })],
    weights: new Map([...graph.weights].filter(([name]) => used.has(name))),
    constants: new Map([...graph.constants].filter(([name]) => used.has(name))),
    nodes: graph.nodes.filter((node) => kept.has(node)),
    outputs: wanted.map((name) => info.get(name) ?? { name }),
  };
}

function assertReachable(graph: Graph, wanted: readonly string[], known: (name: string) => boolean): void {
  const missing = wanted.find((name) => !known(name));
  if (missing !== undefined) {
    throw new RangeError(`Cannot extract value "${missing}" as no node of graph "${graph.name}" computes it`);
  }
}

import { capturedNames } from "./captured-names.ts";
import type { Graph, Node, ValueInfo } from "./graph.ts";

/**
 * Returns the part of a graph that computes some values from others: the nodes between, and the weights and
 * constants they use. Values given become data inputs.
 * @param given - values that will be fed, of f32 if neither they nor the graph say otherwise; data inputs of the
 *   graph that are needed and not listed stay inputs
 * @param wanted - values to compute, which become the outputs
 * @throws RangeError if a wanted value is neither computed nor given
 */
export function extractSubgraph(graph: Graph, given: readonly ValueInfo[], wanted: readonly string[]): Graph {
  const fed = new Set(given.map(({ name }) => name));
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) if (name !== "") producer.set(name, node);
  }
  assertReachable(graph, wanted, (name) => producer.has(name) || fed.has(name));
  const { nodes, values } = walkBack(producer, fed, wanted);
  const info = new Map([...graph.inputs, ...graph.outputs].map((value) => [value.name, value]));
  const isNeeded = ([name]: readonly [string, unknown]) => values.has(name) && !fed.has(name);
  return {
    ...graph,
    inputs: [
      ...graph.inputs.filter(({ name }) => values.has(name) && !fed.has(name)),
      ...given.map((value) => ({ dtype: "f32" as const, ...info.get(value.name), ...value })),
    ],
    weights: new Map([...graph.weights].filter(isNeeded)),
    constants: new Map([...graph.constants].filter(isNeeded)),
    nodes: graph.nodes.filter((node) => nodes.has(node)),
    outputs: wanted.map((name) => info.get(name) ?? { name }),
  };
}

/** The nodes that compute the wanted values, and all values that these read. */
function walkBack(
  producer: ReadonlyMap<string, Node>,
  fed: ReadonlySet<string>,
  wanted: readonly string[],
): { readonly nodes: ReadonlySet<Node>; readonly values: ReadonlySet<string> } {
  const nodes = new Set<Node>();
  const values = new Set<string>();
  const pending = [...wanted];
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

function assertReachable(graph: Graph, wanted: readonly string[], known: (name: string) => boolean): void {
  const missing = wanted.find((name) => !known(name));
  if (missing !== undefined) {
    throw new RangeError(`Cannot extract value "${missing}" as no node of graph "${graph.name}" computes it`);
  }
}

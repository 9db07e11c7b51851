import { DTYPES, entry, sizeOf } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { capturedNames, dependentValues, pruneNodes, typesOf } from "@isthmus/graph/ir";

/** A graph in two parts, of which the first need not run again if only some inputs change. */
export interface SplitGraph {
  /** Part that no varying input reaches; its outputs are the values that the other part reads. */
  readonly fixed: Graph;
  /** Part that depends on varying inputs, with the other part's outputs among its data inputs. */
  readonly varying: Graph;
  /** Bytes of the values that the second part reads from the first. */
  readonly bytes: number;
}

/**
 * Splits a graph into what depends on some of its data inputs and what does not.
 * @param graph - typed
 * @param names - names of the inputs that vary
 * @returns undefined if nothing can be computed beforehand
 */
export function splitGraph(graph: Graph, names: ReadonlySet<string>): SplitGraph | undefined {
  const dependent = dependentValues(graph, names);
  const nodes = graph.nodes.filter(({ outputs }) => outputs.some((name) => dependent.has(name)));
  const reached = new Set(nodes);
  const others = graph.nodes.filter((node) => !reached.has(node));
  // A node that reads only the shape of what varies needs it all the same.
  if (others.flatMap(readBy).some((name) => dependent.has(name))) return undefined;
  const before = new Set(others.flatMap(({ outputs }) => outputs));
  const read = new Set([...nodes.flatMap(readBy), ...graph.outputs.map(({ name }) => name)]);
  const types = typesOf(graph);
  const passed = [...read]
    .filter((name) => before.has(name) && name !== "")
    .map((name) => ({ ...entry(types, name, "type of value"), name }));
  if (nodes.length === 0 || passed.length === 0) return undefined;
  return {
    fixed: reduced({ ...graph, outputs: passed }),
    varying: reduced({ ...graph, nodes, inputs: [...graph.inputs, ...passed] }),
    bytes: passed.reduce((sum, { dtype, shape }) => sum + sizeOf(shape) * DTYPES[dtype].bytes, 0),
  };
}

/** Lists the names of all values that a node takes. */
const readBy = (node: Node): string[] => [...node.inputs, ...capturedNames(node)];

/** Returns the graph without inputs, weights, constants and nodes that its outputs do not need. */
function reduced(graph: Graph): Graph {
  const pruned = pruneNodes(graph);
  const read = new Set([...pruned.nodes.flatMap(readBy), ...pruned.outputs.map(({ name }) => name)]);
  return {
    ...pruned,
    inputs: pruned.inputs.filter(({ name }) => read.has(name)),
    weights: new Map([...pruned.weights].filter(([name]) => read.has(name))),
  };
}

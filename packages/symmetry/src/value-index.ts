import type { Graph, Node } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";

/** Nodes that make and read the values of a graph. */
export interface ValueIndex {
  /** Graph that is indexed. */
  readonly graph: Graph;
  /** Node that computes each value, by the value's name; inputs, weights and constants have no entry. */
  readonly makers: ReadonlyMap<string, Node>;
  /** The nodes that read each value, in the order of the graph; a value that nothing reads has no entry. */
  readonly readers: ReadonlyMap<string, readonly Node[]>;
}

/** Indexes a graph by its values. */
export function indexValues(graph: Graph): ValueIndex {
  const makers = new Map<string, Node>();
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) makers.set(name, node);
    for (const name of new Set(valuesRead(node))) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  }
  return { graph, makers, readers };
}

/** Counts how often each value is an input of a node. */
export function countReadings({ nodes }: Pick<Graph, "nodes">): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { inputs } of nodes) for (const name of inputs) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

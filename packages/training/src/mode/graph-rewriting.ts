import type { TensorInfo } from "@isthmus/core";
import type { Graph, Node, ValueInfo } from "@isthmus/graph";

/** A typed graph whose nodes are replaced one after another. */
export interface Rewriting {
  /** The graph as it was. */
  readonly graph: Graph;
  /** Nodes so far. */
  readonly nodes: Node[];
  readonly inputs: ValueInfo[];
  readonly types: Map<string, TensorInfo>;
  /** Node whose batch norm owns a statistic, by the weight that holds it. */
  readonly owners: Map<string, string>;
}

/** Starts with no nodes and the inputs and types of a graph. */
export function startRewriting(graph: Graph, types: ReadonlyMap<string, TensorInfo>): Rewriting {
  return { graph, nodes: [], inputs: [...graph.inputs], types: new Map(types), owners: new Map() };
}

/** Declares a new value under a name like the given one that nothing has yet, and returns it. */
export function declareValue({ types }: Rewriting, name: string, type: TensorInfo): string {
  let unused = name;
  for (let count = 1; types.has(unused); count++) unused = `${name}_${count}`;
  types.set(unused, { dtype: type.dtype, shape: type.shape });
  return unused;
}

import type { TensorInfo } from "@isthmus/core";
import type { Graph, Node, ValueInfo } from "@isthmus/graph";

/** A typed graph under construction, made from another by replacing its nodes one after another. */
export interface Rewriting {
  /** The graph whose nodes are replaced. */
  readonly graph: Graph;
  /** Nodes of the new graph so far. */
  readonly nodes: Node[];
  readonly inputs: ValueInfo[];
  readonly types: Map<string, TensorInfo>;
  /** Names of the batch norms that use the running statistics, by the weight that holds the statistic. */
  readonly owners: Map<string, string>;
}

/** Starts the rewriting of a graph with its inputs and types, and without nodes. */
export function startRewriting(graph: Graph, types: ReadonlyMap<string, TensorInfo>): Rewriting {
  return { graph, nodes: [], inputs: [...graph.inputs], types: new Map(types), owners: new Map() };
}

/**
 * Declares a new value and returns its name: `name` if it is unused, else the first unused of `name_1`, ...
 */
export function declareValue({ types }: Rewriting, name: string, type: TensorInfo): string {
  let unused = name;
  for (let count = 1; types.has(unused); count++) unused = `${name}_${count}`;
  types.set(unused, { dtype: type.dtype, shape: type.shape });
  return unused;
}

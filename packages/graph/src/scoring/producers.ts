import type { Tensor } from "@isthmus/core";
import { constantTensor } from "../ir/constant-tensor.ts";
import type { Graph, Node } from "../ir/graph.ts";

/** Nodes of a graph by the names of the values that they compute. */
export type Producers = ReadonlyMap<string, Node>;

/** Maps the values of a graph to the nodes that compute them. */
export function producersOf({ nodes }: Graph): Producers {
  return new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
}

/** Returns a constant, which may be a node; undefined if the value is computed or fed. */
export function constantOf(name: string, graph: Graph, producers: Producers): Tensor | undefined {
  const node = producers.get(name);
  return node === undefined ? graph.constants.get(name) : constantTensor(node);
}

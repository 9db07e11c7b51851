import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { discoverSymmetries, type SymmetrySpec } from "@isthmus/symmetry";

/** A graph and its symmetries, for tests that are repeated for several graphs. */
export interface NetworkCase {
  readonly name: string;
  readonly graph: Graph;
  readonly spec: SymmetrySpec;
}

/** Discovers the symmetries of a graph. */
export async function networkCase(graph: Graph): Promise<NetworkCase> {
  const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
  return { name: graph.name, graph, spec };
}

/** Discovers the symmetries of several graphs. */
export function networkCases(graphs: readonly Graph[]): Promise<NetworkCase[]> {
  return Promise.all(graphs.map(networkCase));
}

import { EngineError } from "@isthmus/core";
import { type Architecture, type Probe, probeGraph } from "@isthmus/graph";
import { valuesRead } from "@isthmus/graph/ir";
import type { ProbedGraph } from "./separable-graph.ts";

/** Extent of symbolic dimensions other than the batch in the second run; the default of a probe is 8. */
const OTHER_EXTENT = 6;

/**
 * Runs a graph with inputs of two different extents, to distinguish numbers in shapes that depend on the
 * inputs from numbers that belong to the network.
 *
 * @param batch - number of examples in the first run
 */
export async function probeTwice(
  architecture: Architecture,
  batch: number,
  signal?: AbortSignal,
): Promise<ProbedGraph> {
  const { graph, engine } = architecture;
  const typeless = { graph: { ...graph, types: undefined }, engine } as unknown as Architecture;
  const first = await probeGraph(typeless, { batch, signal });
  const symbols = graph.inputs.flatMap(({ shape = [] }) =>
    shape.filter((extent) => typeof extent === "string"),
  );
  const extents = Object.fromEntries(symbols.map((name) => [name, OTHER_EXTENT]));
  const probeOther = (options: { extents?: Record<string, number> }): Promise<Probe> =>
    probeGraph(typeless, { batch: batch + 1, signal, ...options });
  // A network may take sequences of one length only although its graph gives the length a name.
  const other = await probeOther({ extents }).catch((error: unknown) => {
    if (error instanceof EngineError) return probeOther({});
    throw error;
  });
  const data = new Set(graph.inputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    if (valuesRead(node).some((name) => data.has(name))) for (const name of node.outputs) data.add(name);
  }
  return {
    graph,
    types: first.types,
    constants: new Map([...graph.constants, ...first.constants]),
    otherConstants: new Map([...graph.constants, ...other.constants]),
    otherTypes: other.types,
    data,
  };
}

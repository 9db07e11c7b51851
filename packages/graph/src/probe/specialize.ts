import type { Architecture } from "../architecture.ts";
import type { Graph, ValueInfo } from "../ir/graph.ts";
import { pruneNodes } from "../ir/prune-nodes.ts";
import { probeGraph } from "./probe-graph.ts";

/** Options of {@link specialize}. */
export interface SpecializeOptions {
  /** Number of examples in a batch, at least 1. */
  readonly batch: number;
  /**
   * Extents of other symbolic dimensions by name, such as a sequence's; the others are 8. @defaultValue none
   */
  readonly extents?: Readonly<Record<string, number>>;
  /** Signal that is checked before and after the run. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a graph typed, for one batch size: runs the graph once to find element type and shape of every value,
 * and replaces values that depend on neither inputs nor weights (shapes, masks, positions) by constants, so
 * that no arithmetic on shapes remains.
 *
 * @throws EngineError if the engine cannot run the graph
 */
export async function specialize(
  { graph, engine }: Architecture,
  options: SpecializeOptions,
): Promise<Graph> {
  const probe = await probeGraph({ graph, engine }, options);
  const typed = (info: ValueInfo): ValueInfo => {
    const type = probe.types.get(info.name);
    return type === undefined ? info : { name: info.name, dtype: type.dtype, shape: type.shape };
  };
  return pruneNodes({
    ...graph,
    inputs: graph.inputs.map(typed),
    outputs: graph.outputs.map(typed),
    constants: new Map([...graph.constants, ...probe.constants]),
    nodes: graph.nodes.filter(
      ({ outputs }) => !outputs.every((name) => name === "" || probe.constants.has(name)),
    ),
    types: probe.types,
  });
}

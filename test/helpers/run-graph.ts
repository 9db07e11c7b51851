import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";

/** Runs a graph once as it is written, without the engine's optimisations, and returns its outputs. */
export async function runGraph(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  options: { readonly threads?: number } = {},
): Promise<Map<string, Tensor>> {
  const session = await createOnnxRuntimeEngine().load(graph, { optimize: false, ...options });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

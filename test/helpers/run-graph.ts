import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";

/**
 * Runs a graph once as it is written, without the engine's optimisations, and returns its outputs. One thread
 * does so unless the options name more, as further ones take longer to start than these runs take.
 */
export async function runGraph(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  options: { readonly threads?: number } = {},
): Promise<Map<string, Tensor>> {
  const session = await createOnnxRuntimeEngine().load(graph, { threads: 1, optimize: false, ...options });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

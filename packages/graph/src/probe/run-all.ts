import { sizeOf, type Tensor } from "@isthmus/core";
import type { Engine } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { sequenceValues } from "../ir/sequence-values.ts";
import { exposeValues } from "../ir/values.ts";

/**
 * Number of fed elements up to which one thread runs a graph: starting and ending further threads takes
 * longer than such a run.
 */
const SMALL_FEEDS = 2 ** 18;

/**
 * Runs a graph once without optimisation, and returns its outputs.
 * @throws EngineError if the engine cannot run the graph
 */
export async function runOnce(
  graph: Graph,
  engine: Engine,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  let size = 0;
  for (const { shape } of feeds.values()) size += sizeOf(shape);
  const session = await engine.load(graph, { threads: size <= SMALL_FEEDS ? 1 : 0, optimize: false });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/**
 * Graphs with every value as an output: an engine that shares sessions must be given the same object again.
 */
const exposed = new WeakMap<Graph, Graph>();

/** Runs a graph without optimization and returns every tensor that its nodes compute. */
export async function runAll(
  graph: Graph,
  engine: Engine,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  let whole = exposed.get(graph);
  if (whole === undefined) {
    const sequences = sequenceValues(graph);
    const computed = graph.nodes.flatMap(({ outputs }) => outputs);
    whole = exposeValues(
      graph,
      computed.filter((name) => name !== "" && !sequences.has(name)),
    );
    exposed.set(graph, whole);
  }
  return runOnce(whole, engine, feeds);
}

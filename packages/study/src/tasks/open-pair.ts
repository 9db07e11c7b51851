import { type Checkpoint, openCheckpoint, readJsonFile } from "@isthmus/core";
import {
  decodeAlignment,
  discoverSymmetries,
  type Engine,
  type Graph,
  permute,
  readGraph,
} from "@isthmus/graph";
import { pathOf, type TaskPaths } from "./task-kind.ts";

/** Two networks of one architecture. */
export interface OpenPair {
  readonly networks: { readonly graph: Graph; readonly a: Checkpoint; readonly b: Checkpoint };
  close(): Promise<void>;
}

/** Opens the networks `a` and `b` of a task, the second permuted by the `alignment` where there is one. */
export async function openPair(inputs: TaskPaths, engine: Engine, signal: AbortSignal): Promise<OpenPair> {
  const { graph } = await readGraph(pathOf(inputs, "graph"));
  const a = await openCheckpoint(pathOf(inputs, "a"));
  const b = await openCheckpoint(pathOf(inputs, "b"));
  const close = async () => {
    await a.close();
    await b.close();
  };
  const [alignment] = inputs["alignment"] ?? [];
  if (alignment === undefined) return { networks: { graph, a, b }, close };
  const { spec } = await discoverSymmetries(graph, engine, { signal });
  const order = decodeAlignment(spec, await readJsonFile(alignment));
  return { networks: { graph, a, b: permute(order, b, spec) }, close };
}

import { at, type Checkpoint, readJsonFile } from "@isthmus/core";
import type { Engine, Graph } from "@isthmus/graph";
import { permuteByAlignment } from "@isthmus/symmetry";
import { pathOf, type TaskPaths } from "@isthmus/tasks";
import { openNetworks } from "./open-networks.ts";

/** Two networks of one architecture. */
export interface OpenPair {
  /** Graph and weights of both networks. */
  readonly networks: {
    readonly graph: Graph;
    readonly a: Checkpoint;
    /** The second network, aligned if the task reads an alignment. */
    readonly b: Checkpoint;
    /** The second network before any alignment. */
    readonly unaligned: Checkpoint;
  };
  /** Closes the files of both networks. */
  close(): Promise<void>;
}

/**
 * Opens the networks `a` and `b` of a task. If the task reads `aligned`, this takes the place of `b`; if it
 * reads an `alignment`, `b` is permuted by it.
 */
export async function openPair(inputs: TaskPaths, engine: Engine, signal: AbortSignal): Promise<OpenPair> {
  // B itself is opened, too, where it was aligned: the graph may have been exported from it.
  const { aligned = [] } = inputs;
  const paths = [pathOf(inputs, "a"), pathOf(inputs, "b"), ...aligned];
  const { graph, networks, close } = await openNetworks(inputs, paths, engine);
  const networkOf = (index: number) => at(networks, index, "network").network;
  const [a, unaligned, b] = [networkOf(0), networkOf(1), networkOf(paths.length - 1)];
  const alignment = inputs["alignment"]?.[0];
  if (alignment === undefined) return { networks: { graph, a, b, unaligned }, close };
  const order = await readJsonFile(alignment);
  const permuted = await permuteByAlignment({ graph, engine }, b, order, { signal });
  return { networks: { graph, a, b: permuted, unaligned }, close };
}

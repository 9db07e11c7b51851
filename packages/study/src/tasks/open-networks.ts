import { at, type Checkpoint, openCheckpoint } from "@isthmus/core";
import {
  type BoundNetwork,
  bindNetworks,
  type Engine,
  freeBatch,
  type Graph,
  readGraph,
  verifyBinding,
} from "@isthmus/graph";
import { pathOf, type TaskPaths } from "@isthmus/tasks";

/** Networks of one architecture, opened from files. */
export interface OpenNetworks {
  /**
   * Graph of the networks, which takes any batch if it can. Its weights are the tensors of the checkpoints,
   * even if an exporter changed them.
   */
  readonly graph: Graph;
  /** Networks in the order of the paths, each with the names of its checkpoint. */
  readonly networks: readonly BoundNetwork[];
  /** Closes the files of all checkpoints. */
  close(): Promise<void>;
}

/**
 * Opens the `graph` of a task and checkpoints, and binds them to each other.
 * @param paths - files of the checkpoints
 * @throws MismatchError if they do not fit each other
 */
export async function openNetworks(
  inputs: TaskPaths,
  paths: readonly string[],
  engine: Engine,
): Promise<OpenNetworks> {
  const decoded = await readGraph(pathOf(inputs, "graph"));
  const open: Checkpoint[] = [];
  const close = async () => {
    for (const checkpoint of open) await checkpoint.close();
  };
  try {
    for (const path of paths) open.push(await openCheckpoint(path));
    const checkpoints = [...open];
    const sourcePath = inputs["exportedFrom"]?.[0];
    const exportedFrom = sourcePath === undefined ? undefined : await openCheckpoint(sourcePath);
    if (exportedFrom !== undefined) open.push(exportedFrom);
    const bound = await bindNetworks(decoded, checkpoints, { exportedFrom });
    await verifyBinding(decoded, bound, engine, { seed: 0 });
    const { network } = at(bound.networks, 0, "network");
    const { graph } = await freeBatch({ graph: bound.graph, engine }, { weights: network });
    return { graph, networks: bound.networks, close };
  } catch (error) {
    await close();
    throw error;
  }
}

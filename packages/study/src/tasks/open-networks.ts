import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import { type BoundNetwork, bindArchitecture, type Engine, type Graph, readGraph } from "@isthmus/graph";
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
  const read = await readGraph(pathOf(inputs, "graph"));
  const open: Checkpoint[] = [];
  const close = async () => {
    for (const checkpoint of open) await checkpoint.close();
  };
  try {
    for (const path of paths) open.push(await openCheckpoint(path));
    const opened = { graph: read.graph, carried: read.weights, engine };
    const { graph, networks } = await bindArchitecture(opened, open, {
      exportedFrom: inputs["exportedFrom"]?.[0],
    });
    return { graph, networks, close };
  } catch (error) {
    await close();
    throw error;
  }
}

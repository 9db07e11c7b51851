import type { Graph } from "@isthmus/graph";
import type { TaskFile, TaskInputs } from "@isthmus/tasks";
import type { Variables } from "../description/study-description.ts";

/** A network that will be there once its task is done. */
export interface PlannedNetwork {
  /** Of its group, and for a trained one `epochs`. */
  readonly variables: Variables;
  /** For people. */
  readonly label: string;
  readonly architecture: Graph;
  /** Name of the examples it was trained on; missing for one that was there. */
  readonly trainedOn?: string;
  readonly graph: TaskFile;
  readonly weights: TaskFile;
  /** Weights of the same training by epochs, for a trained network and what is made of it. */
  readonly rewinds?: ReadonlyMap<number, TaskFile>;
  /** Checkpoint that the graph was exported from, where it is named. */
  readonly exportedFrom?: TaskFile;
}

/** Lists the files of a network as inputs of a task that reads one network. */
export function filesOf({ graph, weights, exportedFrom }: PlannedNetwork): TaskInputs {
  return {
    graph: [graph],
    network: [weights],
    ...(exportedFrom !== undefined && { exportedFrom: [exportedFrom] }),
  };
}

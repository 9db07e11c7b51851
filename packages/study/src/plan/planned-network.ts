import type { Variables } from "@isthmus/forms";
import type { Graph } from "@isthmus/graph";
import type { TaskFile, TaskInputs } from "@isthmus/tasks";

/** A network of a study, which exists once its task is done. */
export interface PlannedNetwork {
  /** Variables of its group, and for a trained one `epochs`. */
  readonly variables: Variables;
  /** Description of the network for people, such as the short string of the zoo with its seed. */
  readonly label: string;
  /** Graph of the network, for checks before its files exist. */
  readonly architecture: Graph;
  /** Name of the examples it was trained on; missing for a network that was loaded. */
  readonly trainedOn?: string;
  /** File of the graph, in the folder of a task or named by the study. */
  readonly graph: TaskFile;
  /** File of the weights, in the folder of a task or named by the study. */
  readonly weights: TaskFile;
  /** Weights of the network that it was collected from; missing for others. */
  readonly start?: TaskFile;
  /** Weights of the same training by number of epochs, for a trained network and networks made from it. */
  readonly rewinds?: ReadonlyMap<number, TaskFile>;
  /** Checkpoint that the graph was exported from, if the study names it. */
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

/** Lists the files of networks of one architecture as inputs of a task that reads several. */
export function filesOfAll(networks: readonly PlannedNetwork[]): TaskInputs {
  const exportedFrom = networks.find((network) => network.exportedFrom !== undefined)?.exportedFrom;
  return {
    graph: networks.slice(0, 1).map(({ graph }) => graph),
    networks: networks.map(({ weights }) => weights),
    ...(exportedFrom !== undefined && { exportedFrom: [exportedFrom] }),
  };
}

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
  /** Checkpoint of the same entry that the graph was exported from, if its networks are bound through it. */
  readonly exporter?: TaskFile;
}

/** Lists the files of a network as inputs of a task that reads one network. */
export function filesOf(network: PlannedNetwork): TaskInputs {
  return { graph: [network.graph], network: [network.weights], ...sourceOf([network]) };
}

/** Lists the files of networks of one architecture as inputs of a task that reads several. */
export function filesOfAll(networks: readonly PlannedNetwork[]): TaskInputs {
  return {
    graph: networks.slice(0, 1).map(({ graph }) => graph),
    networks: networks.map(({ weights }) => weights),
    ...sourceOf(networks),
  };
}

/**
 * Lists the checkpoint that the graph of networks was exported from, if a task needs it: the one that the
 * study names, else the one that was found, unless it is among the networks themselves.
 */
export function sourceOf(networks: readonly PlannedNetwork[]): TaskInputs {
  const named = networks.find(({ exportedFrom }) => exportedFrom !== undefined)?.exportedFrom;
  if (named !== undefined) return { exportedFrom: [named] };
  const witness = networks.find(({ exporter }) => exporter !== undefined)?.exporter;
  const isOwn = networks.some(({ weights }) => digestOf(weights) === digestOf(witness));
  return witness === undefined || isOwn ? {} : { exportedFrom: [witness] };
}

/** Returns the digest of a file of the user; undefined for a file that a task makes. */
function digestOf(file: TaskFile | undefined): string | undefined {
  return file !== undefined && "digest" in file ? file.digest : undefined;
}

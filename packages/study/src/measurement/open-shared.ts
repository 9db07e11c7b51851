import { at, type Checkpoint } from "@isthmus/core";
import type { AnyMeasurement, OpenedSubject } from "@isthmus/findings";
import { type DataSet, type Graph, type NamedLoss, scoreBy } from "@isthmus/graph";
import { discoverOnce } from "@isthmus/symmetry";
import type { TaskContext, TaskPaths } from "@isthmus/tasks";
import { openNetworks } from "../tasks/open-networks.ts";
import type { StudyPorts, TaskData } from "../tasks/task-kind.ts";

/** Parameters of a task that measures; further examples are beside the ones to measure on. */
export interface MeasurementParams {
  /** Examples to measure on; missing if there are several sets of them. */
  readonly data?: TaskData;
  /** Sets of examples in the order of the result, each with its name in it. */
  readonly sets?: readonly { readonly name: string; readonly data: TaskData }[];
  /**
   * The loss that networks are scored by. @defaultValue the loss that follows from the labels and the output
   */
  readonly loss?: NamedLoss;
  /** Examples that statistics of norms are measured on; absent if the entry names none. */
  readonly statisticsData?: TaskData;
  /**
   * Further examples by the names that the measurement has for them, and further parameters of the subject.
   */
  readonly [beside: string]: unknown;
  /** Options of the measurement by name, with values in place of the entry's variables. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A task whose subject is to be opened. */
export interface Opening<Params extends object = object> {
  /** Measurement that the task runs. */
  readonly measurement: AnyMeasurement;
  /** Engine, examples, signal and progress of the task. */
  readonly ports: TaskContext & StudyPorts;
  /** Parameters of the task, as its key records them. */
  readonly params: MeasurementParams & Params;
  /** Paths of the files that the task reads, by the names of its inputs. */
  readonly inputs: TaskPaths;
}

/** Opens the examples of a task for networks of a graph. */
export function examplesOpener({ openData }: StudyPorts, graph: Graph): (data: TaskData) => Promise<DataSet> {
  const inputNames = graph.inputs.map(({ name }) => name);
  return ({ name }) => openData(name, inputNames);
}

/**
 * Opens the parts that subjects of every sort have: graph, engine, symmetries and all examples that the task
 * names.
 */
export async function openShared(
  { measurement: { examplesBeside = {} }, ports, params }: Opening,
  unscored: Graph,
): Promise<OpenedSubject> {
  const graph = scoreBy(unscored, params.loss);
  const { engine, signal } = ports;
  const open = examplesOpener(ports, graph);
  const beside = new Map<string, DataSet>();
  for (const [name, { param }] of Object.entries(examplesBeside)) {
    const data = params[param];
    if (data !== undefined) beside.set(name, await open(data as TaskData));
  }
  const data = params.data ?? at(params.sets ?? [], 0, "set").data;
  return {
    graph,
    engine,
    beside,
    data: await open(data),
    statisticsData: params.statisticsData && (await open(params.statisticsData)),
    symmetries: discoverOnce({ graph, engine }, { signal }),
  };
}

/** Opens networks of one architecture with the examples of their task, works with them, and closes them. */
export function withCheckpoints<T>(
  opening: Opening,
  paths: readonly string[],
  work: (networks: readonly Checkpoint[], shared: OpenedSubject) => Promise<T>,
): Promise<T> {
  return withNetworks(opening, paths, async (networks, graph) =>
    work(networks, await openShared(opening, graph)),
  );
}

/** Opens networks of one architecture, works with them, and closes them. */
export async function withNetworks<T>(
  { inputs, ports }: Opening,
  paths: readonly string[],
  work: (networks: readonly Checkpoint[], graph: Graph) => Promise<T>,
): Promise<T> {
  const { graph, networks, close } = await openNetworks(inputs, paths, ports.engine);
  try {
    return await work(
      networks.map(({ network }) => network),
      graph,
    );
  } finally {
    await close();
  }
}

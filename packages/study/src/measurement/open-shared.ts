import { at } from "@isthmus/core";
import type { AnyMeasurement, OpenedSubject } from "@isthmus/findings";
import { type DataSet, type Graph, type NamedLoss, scoreBy } from "@isthmus/graph";
import { discoverSymmetries, type Symmetries } from "@isthmus/symmetry";
import type { TaskContext, TaskPaths } from "@isthmus/tasks";
import type { StudyPorts, TaskData } from "../tasks/task-kind.ts";

/** A set of examples with a name. */
interface TaskSet {
  readonly name: string;
  readonly data: TaskData;
}

/** Parameters of a task that measures; further examples are beside the ones to measure on. */
export interface MeasurementParams {
  /** Examples to measure on; missing if there are several sets of them. */
  readonly data?: TaskData;
  /** Sets of examples in the order of the result, each with its name in it. */
  readonly sets?: readonly TaskSet[];
  /** The loss that networks are scored by. @defaultValue what follows from the labels and the output */
  readonly loss?: NamedLoss;
  readonly statisticsData?: TaskData;
  /** Further examples by the names that the measurement has for them, and what else names the subject. */
  readonly [beside: string]: TaskData | NamedLoss | object | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A task whose subject is to be opened. */
export interface Opening {
  readonly measurement: AnyMeasurement;
  readonly ports: TaskContext & StudyPorts;
  readonly params: MeasurementParams;
  readonly inputs: TaskPaths;
}

/** Opens the examples of a task for networks of a graph. */
export function examplesOpener({ openData }: StudyPorts, graph: Graph): (data: TaskData) => Promise<DataSet> {
  const inputNames = graph.inputs.map(({ name }) => name);
  return ({ name }) => openData(name, inputNames);
}

/** Opens what the subject of a task has whatever its sort: all examples that the task names. */
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
  let symmetries: Promise<Symmetries> | undefined;
  return {
    ...{ graph, engine, beside, data: await open(data) },
    statisticsData: params.statisticsData && (await open(params.statisticsData)),
    symmetries: () => {
      symmetries ??= discoverSymmetries({ graph, engine }, { signal });
      return symmetries;
    },
  };
}

/** Opens the sets of examples of a task, by their names. */
export async function openSets(
  { ports, params: { sets = [] } }: Opening,
  graph: Graph,
): Promise<Readonly<Record<string, DataSet>>> {
  const open = examplesOpener(ports, graph);
  const opened: Record<string, DataSet> = {};
  for (const { name, data } of sets) opened[name] = await open(data);
  return opened;
}

import type { AnyMeasurement, OpenedSubject } from "@isthmus/findings";
import type { DataSet, Graph } from "@isthmus/graph";
import { discoverSymmetries, type Symmetries } from "@isthmus/symmetry";
import type { TaskContext, TaskPaths } from "@isthmus/tasks";
import type { StudyPorts, TaskData } from "../tasks/task-kind.ts";

/** Parameters of a task that measures; further examples are beside the ones to measure on. */
export interface MeasurementParams {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  /** Further examples by the names that the measurement has for them, and what else names the subject. */
  readonly [beside: string]: TaskData | object | undefined;
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
  graph: Graph,
): Promise<OpenedSubject> {
  const { engine, signal } = ports;
  const open = examplesOpener(ports, graph);
  const beside = new Map<string, DataSet>();
  for (const [name, { param }] of Object.entries(examplesBeside)) {
    const data = params[param];
    if (data !== undefined) beside.set(name, await open(data as TaskData));
  }
  let symmetries: Promise<Symmetries> | undefined;
  return {
    ...{ graph, engine, beside, data: await open(params.data) },
    statisticsData: params.statisticsData && (await open(params.statisticsData)),
    symmetries: () => {
      symmetries ??= discoverSymmetries({ graph, engine }, { signal });
      return symmetries;
    },
  };
}

import { workerData } from "node:worker_threads";
import { openDataSet } from "@isthmus/data";
import type { DataSet, Engine } from "@isthmus/graph";
import { STUDY_TASKS } from "@isthmus/study";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createEngine, type EngineName } from "../options/engine-option.ts";
import { holdExamples } from "./hold-examples.ts";

/** The data that the worker is started with. */
export interface StudyWorkerData {
  readonly engine: EngineName;
}

const { engine: name } = workerData as StudyWorkerData;
const engine = oneThreadEngine(await createEngine(name));
const opened = new Map<string, Promise<DataSet>>();

/** Opens each data set once, as many tasks are on the same examples. */
function openData(data: string, inputs: readonly string[] = []): Promise<DataSet> {
  const key = JSON.stringify([data, ...inputs]);
  const open = opened.get(key) ?? openDataSet(data, { inputs }).then(holdExamples);
  opened.set(key, open);
  return open;
}

serveTasks((assignment, control) => runTask(STUDY_TASKS, assignment, { engine, openData }, control));

/**
 * Returns an engine that runs every graph in one thread, which keeps all cores busy where several graphs
 * run side by side.
 */
function oneThreadEngine({ name, load }: Engine): Engine {
  return { name, load: (graph, options) => load(graph, { ...options, threads: 1 }) };
}

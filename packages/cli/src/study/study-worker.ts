import { workerData } from "node:worker_threads";
import { createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { createDataSet, openDataSet } from "@isthmus/data";
import type { DataSet, Engine } from "@isthmus/graph";
import { STUDY_TASKS } from "@isthmus/study";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createEngine, type EngineName } from "../options/engine-option.ts";

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

/** Most bytes of f32 that a data set is held in: twice the training images of MNIST, in every thread. */
const MOST_BYTES = 400e6;

/**
 * Returns a data set with its bytes scaled once and for all, as tasks read them hundreds of times, and for
 * small networks scaling takes as long as learning. A data set without bytes to scale, or a large one, is
 * returned as it is.
 */
export function holdExamples(data: DataSet): DataSet {
  const { name, classes, size, exampleShape, scaling, inputName, labelling } = data;
  if (scaling === undefined || 4 * size * sizeOf(exampleShape) > MOST_BYTES) return data;
  const { inputs, labels, features = new Map<string, Tensor>() } = data.read(0, size);
  const perExample = labels.length / size;
  const labelled = perExample === 1 ? labels : createTensor("i32", [size, perExample], labels);
  return createDataSet(createTensor("f32", inputs.shape, inputs.data as Float32Array), labelled, {
    ...{ name, classes, inputName, features, labelling },
  });
}

import { workerData } from "node:worker_threads";
import { openDataSet } from "@isthmus/data";
import type { DataSet, Engine } from "@isthmus/graph";
import { createEngine, type EngineName } from "../options/engine-option.ts";
import { holdExamples } from "./hold-examples.ts";

/** The data that a worker is started with. */
export interface WorkerData {
  readonly engine: EngineName;
}

/** Makes what the tasks of a worker thread work with: an engine, and data that are opened once. */
export async function createWorkerPorts(): Promise<{
  readonly engine: Engine;
  openData(data: string, inputs?: readonly string[]): Promise<DataSet>;
}> {
  const { engine: name } = workerData as WorkerData;
  const engine = oneThreadEngine(await createEngine(name));
  const opened = new Map<string, Promise<DataSet>>();
  return {
    engine,
    // Many tasks are on the same examples.
    openData(data, inputs = []) {
      const key = JSON.stringify([data, ...inputs]);
      const open = opened.get(key) ?? openDataSet(data, { inputs }).then(holdExamples);
      opened.set(key, open);
      return open;
    },
  };
}

/**
 * Returns an engine that runs every graph in one thread, which keeps all cores busy where several graphs
 * run side by side.
 */
function oneThreadEngine({ name, load }: Engine): Engine {
  return { name, load: (graph, options) => load(graph, { ...options, threads: 1 }) };
}

import { openDataSet } from "@isthmus/data";
import { createEngine, type EngineName } from "@isthmus/engine";
import { type DataSet, type Engine, withLoad } from "@isthmus/graph";
import { holdExamples } from "./hold-examples.ts";

/** The data that a worker thread is started with. */
export interface WorkerData {
  /** Name of the engine that the worker creates, with one thread for each graph. */
  readonly engine: EngineName;
  /** Absolute paths of the files of measurements that the command line, or the file of the study, names. */
  readonly use: readonly string[];
}

/** Engine and data that tasks work with. */
export interface WorkerPorts {
  /** Engine that runs every graph in one thread, whatever number of threads a task asks for. */
  readonly engine: Engine;
  /**
   * Opens a data set by its name; the same name and inputs in the same working folder give the data set that
   * is open already.
   */
  openData(data: string, inputs?: readonly string[]): Promise<DataSet>;
}

/** Creates the ports of the tasks of a thread or process: an engine, and data that are opened once. */
export async function createWorkerPorts({ engine: name }: Pick<WorkerData, "engine">): Promise<WorkerPorts> {
  const engine = oneThreadEngine(await createEngine(name));
  const opened = new Map<string, Promise<DataSet>>();
  return {
    engine,
    // Many tasks are on the same examples.
    openData(data, inputs = []) {
      // Relative paths mean other files in another working folder.
      const key = JSON.stringify([process.cwd(), data, ...inputs]);
      const open = opened.get(key) ?? openDataSet(data, { inputs }).then(holdExamples);
      opened.set(key, open);
      return open;
    },
  };
}

/**
 * Returns an engine that runs every graph in one thread, which keeps all cores busy if several graphs run
 * side by side.
 */
function oneThreadEngine(engine: Engine): Engine {
  return withLoad(engine, (inner, graph, options) => inner.load(graph, { ...options, threads: 1 }));
}

import { resolve } from "node:path";
import type { EngineName } from "@isthmus/engine";
import { createThreadExecutor, type ThreadExecutor } from "@isthmus/tasks";
import type { WorkerData } from "../kinds/worker-ports.ts";
import { scriptUrl } from "../script-url.ts";

/** A sort of work whose tasks run in threads. */
export type ThreadSort = "study" | "simulation";

/** Options of {@link openThreads}. */
export interface OpenThreadsOptions {
  /** Number of tasks that run at once, each in a thread of its own; at least 1. */
  readonly capacity: number;
  /** Name of the engine of each thread. @defaultValue "onnxruntime" */
  readonly engine?: EngineName | undefined;
  /** Files of measurements and network makers of the user. @defaultValue none */
  readonly use?: readonly string[] | undefined;
}

/** Starts threads of this process that run the tasks of studies or of simulations. */
export function openThreads(
  sort: ThreadSort,
  { capacity, engine = "onnxruntime", use = [] }: OpenThreadsOptions,
): ThreadExecutor {
  const workerData: WorkerData = { engine, use: use.map((file) => resolve(file)) };
  return createThreadExecutor(scriptUrl(sort), { capacity, workerData });
}

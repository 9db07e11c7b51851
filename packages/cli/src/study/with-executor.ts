import { join } from "node:path";
import { createEngine } from "@isthmus/engine";
import type { TaskExecutor } from "@isthmus/tasks";
import { openThreads } from "@isthmus/workers/threads";
import { engineNameOf } from "../open/open-engine.ts";
import { loadWorkers, placesOf, type TaskVerbOptions, tasksLeft } from "../options/queue-options.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import type { Context } from "../verb.ts";
import { TASKS } from "./save-described.ts";

/** Work whose tasks run in threads or on the workers of a queue. */
export interface DescribedWork {
  /** Name of the command, to say how to go on. */
  readonly verb: string;
  /** Sort of the work, which decides what threads can run. */
  readonly sort: "study" | "simulation";
  /** Folder of the results. */
  readonly folder: string;
  /** Services of the program: terminal, progress, signal, files of measurements. */
  readonly context: Context;
}

/**
 * Calls a function with the executor of the tasks of a study or a simulation, and with the folder for their
 * files, and says how to go on if it is stopped.
 */
export async function withExecutor<T>(
  options: TaskVerbOptions,
  { verb, sort, folder, context }: DescribedWork,
  work: (executor: TaskExecutor, tasks: string) => Promise<T>,
): Promise<T> {
  context.progress("Planning");
  const tasks = join(folder, TASKS);
  const executor = await openExecutor(options, { sort, folder: tasks, context });
  const left = () => tasksLeft(options, folder);
  const stopTelling = options.queue === undefined ? () => {} : context.keepTelling();
  try {
    return await sayHowToGoOn({ verb, left }, context, () => work(executor, tasks));
  } finally {
    stopTelling();
    await executor.close();
  }
}

/** Opens threads of this process, or the workers of the queue that options name. */
async function openExecutor(
  options: TaskVerbOptions,
  { sort, folder, context }: Omit<DescribedWork, "verb">,
): Promise<TaskExecutor & { close(): Promise<void> }> {
  const places = placesOf(options, context);
  const { workers: capacity } = options;
  const engine = engineNameOf(options);
  if (places === undefined) return openThreads(sort, { capacity, engine, use: context.use });
  const { openQueueExecutor } = await loadWorkers();
  return openQueueExecutor({ ...places, engine: (await createEngine(engine)).name, folder });
}

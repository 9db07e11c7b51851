import { join } from "node:path";
import type { TaskExecutor } from "@isthmus/tasks";
import { openExecutor, type TaskVerbOptions, tasksLeft } from "../options/queue-options.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import type { Context } from "../verb.ts";
import { TASKS } from "./save-described.ts";

/** What the tasks of a study or a simulation run with. */
export interface DescribedWork {
  readonly verb: string;
  /** Module of the threads. */
  readonly script: URL;
  /** Folder of the results. */
  readonly folder: string;
  readonly context: Context;
}

/**
 * Calls a function with what runs the tasks of a study or a simulation, and with the folder for their files,
 * and says how to go on if it is stopped.
 */
export async function withExecutor<T>(
  options: TaskVerbOptions,
  { verb, script, folder, context }: DescribedWork,
  work: (executor: TaskExecutor, tasks: string) => Promise<T>,
): Promise<T> {
  context.progress("Planning");
  const tasks = join(folder, TASKS);
  const executor = await openExecutor(options, { script, folder: tasks, context });
  const left = () => tasksLeft(options, folder);
  try {
    return await sayHowToGoOn({ verb, left }, context, () => work(executor, tasks));
  } finally {
    await executor.close();
  }
}

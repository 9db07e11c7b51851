import { join } from "node:path";
import type { TaskExecutor } from "@isthmus/tasks";
import { noteLeft, openExecutor, type TaskVerbOptions } from "../options/queue-options.ts";
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
  try {
    return await work(executor, tasks);
  } catch (error) {
    if (context.signal.aborted) context.terminal.note(noteLeft(verb, options, folder));
    throw error;
  } finally {
    await executor.close();
  }
}

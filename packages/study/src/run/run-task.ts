import { InputError } from "@isthmus/core";
import type { TaskContext } from "../tasks/task-kind.ts";
import { TASK_KINDS } from "../tasks/task-kinds.ts";
import type { TaskAssignment, TaskControl } from "./task-executor.ts";

/**
 * Runs one task here and now: what executors call where the work is done.
 * @throws InputError if there is no kind of that name; what the task throws
 */
export function runTask(
  { kind, params, inputs, folder }: TaskAssignment,
  ports: Pick<TaskContext, "engine" | "openData">,
  { signal, onProgress }: TaskControl,
): Promise<object> {
  const found = TASK_KINDS[kind];
  if (found === undefined) {
    throw new InputError(
      `Cannot run a task as its kind must be one of ${Object.keys(TASK_KINDS).join(", ")}: it is "${kind}"`,
      { input: kind },
    );
  }
  return found.run({ ...ports, folder, signal, onProgress }, params, inputs);
}

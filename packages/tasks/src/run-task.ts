import { InputError } from "@isthmus/core";
import type { TaskAssignment, TaskControl } from "./task-executor.ts";
import type { TaskKinds } from "./task-kind.ts";

/**
 * Runs one task in this thread, now: executors call it where the work is done.
 *
 * @param kinds - the registry in which the kind of the task is looked up
 * @param ports - what tasks of these kinds work with beside the context, such as an engine
 * @throws InputError if there is no kind of that name; what the task throws
 */
export async function runTask<Ports extends object>(
  kinds: TaskKinds<Ports>,
  { kind: name, params, inputs, folder }: TaskAssignment,
  ports: Ports,
  { signal, onProgress }: TaskControl,
): Promise<object> {
  const kind = kinds.get(name);
  if (kind === undefined) {
    throw new InputError(
      `Cannot run a task as its kind must be one of ${[...kinds.keys()].join(", ")}: it is "${name}"`,
      { input: name },
    );
  }
  return kind.run({ ...ports, folder, signal, onProgress }, params, inputs);
}

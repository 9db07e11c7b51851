import { confineFiles, InputError, isInside } from "@isthmus/core";
import type { TaskAssignment, TaskControl } from "./task-executor.ts";
import type { TaskKinds } from "./task-kind.ts";

/**
 * Runs one task in this thread, now: executors call it in the thread or process that does the work. If the
 * assignment sets `within`, this function alone restricts a task, of any kind, to the files that it may open.
 *
 * @param kinds - the registry in which the kind of the task is looked up
 * @param ports - resources of the tasks besides the context, such as an engine
 * @throws InputError if there is no kind of that name; also throws the errors of the task
 */
export async function runTask<Ports extends object>(
  kinds: TaskKinds<Ports>,
  { kind: name, params, inputs, folder, store, within }: TaskAssignment,
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
  const run = () => kind.run({ ...ports, folder, store, signal, onProgress }, params, inputs);
  if (within === undefined) return run();
  const beside = kind.writesInto?.({ store }) ?? [];
  const write = [folder, ...beside].map((path) => assertWithin(within, path));
  return confineFiles({ read: [within], write }, run);
}

function assertWithin(folder: string, path: string): string {
  if (isInside(folder, path)) return path;
  throw new InputError(
    `Cannot run a task as the folders that it writes into must lie in "${folder}": "${path}" lies elsewhere`,
    { input: path },
  );
}

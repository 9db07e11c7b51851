import { isAbsolute, join, relative, resolve } from "node:path";
import { EngineError, InputError, isInside } from "@isthmus/core";
import { createTask, type Task, type TaskKind, type TaskKinds } from "@isthmus/tasks";
import type { QueuedTask } from "../queue/queued-task.ts";
import { assertWithin } from "../storage/inside.ts";

/** Kinds of tasks and engine that a worker can run. */
export interface Runnable {
  /** Registry of kinds: a worker runs no others. */
  readonly kinds: TaskKinds<never>;
  /** Name of the engine of this worker. */
  readonly engine: string;
}

/**
 * Checks that a task from a queue is one that this worker would have made itself: of a kind in its registry,
 * of the same version and engine, with parameters that the kind accepts, and with the key that follows from
 * all these.
 * @returns the kind of the task
 * @throws InputError if the worker would not have made this task
 * @throws EngineError if the task must run on another engine
 */
export function assertRunnable({ task, engine }: QueuedTask, runnable: Runnable): TaskKind<object, never> {
  const attempt = `run "${task.label}"`;
  const refuse = (rule: string): InputError =>
    new InputError(`Cannot ${attempt} as ${rule}`, { input: task.label });
  const kind = runnable.kinds.get(task.kind);
  if (kind === undefined) {
    throw refuse(
      `a worker runs kinds that it knows: it is "${task.kind}", and they are ${[...runnable.kinds.keys()].join(", ")}; if it is a measurement of your own, start the worker with --use and the file that defines it`,
    );
  }
  if (engine !== runnable.engine) {
    // Another worker may have the engine.
    throw new EngineError(
      `Cannot ${attempt} here as it must run on "${engine}": this worker has "${runnable.engine}"`,
      { engine: runnable.engine },
    );
  }
  if (kind.assertParams === undefined)
    throw refuse(`tasks of kind "${task.kind}" do not run on other machines`);
  kind.assertParams(task.params);
  const { key } = createTask(kind, engine, task);
  if (key !== task.key) {
    throw refuse(
      `its key must follow from what it says, and from version ${kind.version} of "${task.kind}" here: it does not; let all machines have the same version of isthmus, and of the files of --use`,
    );
  }
  return kind;
}

/** Folders of the files of a task. */
export interface TaskPlaces {
  /** Root of the storage on the machine of the command that waits. */
  readonly from: string;
  /** Root of the storage on this machine, with all links resolved. */
  readonly root: string;
  /** Folder from which relative paths are resolved. */
  readonly directory: string;
}

/**
 * Moves the paths in parameters from the storage of the command that waits to the storage of this machine;
 * the kind of the task says which parameters are paths.
 * @throws InputError if a path, or a link on its way, leads out of the storage
 */
export async function relocateParams(
  { movePaths }: Pick<TaskKind, "movePaths">,
  { params }: Pick<Task, "params">,
  { from, root, directory }: TaskPlaces,
): Promise<object> {
  const named: string[] = [];
  const moved = movePaths?.(params, (path) => {
    const isBelow = from !== root && isAbsolute(path) && isInside(from, path);
    const there = isBelow ? join(root, relative(from, path)) : path;
    named.push(resolve(directory, there));
    return there;
  });
  for (const path of named) await assertWithin(root, path);
  return moved ?? params;
}

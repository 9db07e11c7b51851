import { isAbsolute, join, resolve } from "node:path";
import { EngineError, InputError, isInside } from "@isthmus/core";
import { createTask, type Task, type TaskKinds } from "@isthmus/tasks";
import type { QueuedTask } from "../queue/queued-task.ts";

/** What a worker can run. */
export interface Runnable {
  /** The registry of kinds: nothing else is ever run. */
  readonly kinds: TaskKinds<never>;
  /** Name of the engine that this worker computes with. */
  readonly engine: string;
}

/**
 * Checks that a task from a queue is one that this worker would have made itself: of a kind in its registry,
 * of the same version and engine, with parameters that the kind accepts, and with the key that follows.
 * @throws InputError if it is not
 * @throws EngineError if it must run on another engine
 */
export function assertRunnable({ task, engine }: QueuedTask, runnable: Runnable): void {
  const attempt = `run "${task.label}"`;
  const refuse = (rule: string): InputError =>
    new InputError(`Cannot ${attempt} as ${rule}`, { input: task.label });
  const kind = runnable.kinds.get(task.kind);
  if (kind === undefined) {
    throw refuse(
      `a worker runs kinds that it knows: it is "${task.kind}", and they are ${[...runnable.kinds.keys()].join(", ")}`,
    );
  }
  if (engine !== runnable.engine) {
    // Another worker may have it.
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
      `its key must follow from what it says, and from version ${kind.version} of "${task.kind}" here: it does not; let all machines have the same version of isthmus`,
    );
  }
}

/** Parts of a text between which a path may stand, as in `idx:/data/images@1000`. */
const BETWEEN = /[:@,+\s]/;

/**
 * Moves the paths in parameters from the storage of whoever waits to the storage of this machine.
 * @param directory - folder that relative paths are looked up from
 * @throws InputError if a path leads out of the storage
 */
export function relocateParams(
  { params }: Pick<Task, "params">,
  { from, root, directory }: { readonly from: string; readonly root: string; readonly directory: string },
): object {
  const relocate = (text: string): string => {
    const moved = from === root ? text : text.replaceAll(`${from}/`, `${root}/`);
    for (const part of moved.split(BETWEEN)) {
      if (isAbsolute(part) || part.split("/").includes("..")) assertWithin(root, resolve(directory, part));
    }
    return moved;
  };
  const walk = (value: unknown): unknown => {
    if (typeof value === "string") return relocate(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, walk(part)]));
  };
  return walk(params) as object;
}

/**
 * Returns the path of something within the storage.
 * @throws InputError if it leads out of the storage
 */
export function pathWithin(root: string, path: string): string {
  const absolute = join(root, path);
  assertWithin(root, absolute);
  return absolute;
}

function assertWithin(root: string, path: string): void {
  if (isInside(root, path)) return;
  throw new InputError(
    `Cannot use "${path}" as files of tasks must lie in the storage "${root}": it lies elsewhere; put it there, and name it by its path there`,
    { input: path },
  );
}

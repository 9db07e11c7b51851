import { createHash } from "node:crypto";
import { excerpt, InputError } from "@isthmus/core";
import type { Task } from "@isthmus/tasks";

/**
 * A task on its way to a worker, with the folders of its files: plain data, with references to files and
 * digests, never weights or secrets.
 */
export interface QueuedTask {
  /**
   * Id of this entry: the key of the task and a digest of the store, as two stores may need the same task.
   */
  readonly id: string;
  /** The task itself: kind, parameters and files. */
  readonly task: Task;
  /** Name of the engine that the key of the task was made with. */
  readonly engine: string;
  /** Folder of results within the storage, with `/` between its parts. */
  readonly store: string;
  /** Working folder of the command that waits, within the storage: relative paths are resolved from it. */
  readonly directory: string;
  /**
   * Root of the storage on the machine of the command that waits: each worker replaces it by its own root.
   */
  readonly root: string;
}

/** Number of hexadecimal digits that tell stores apart. */
const STORE_DIGITS = 8;

/** Makes the entry of a task for a queue. */
export function queueTask(task: Task, place: Omit<QueuedTask, "id" | "task">): QueuedTask {
  return { id: `${task.key}-${digestStore(place.store)}`, task, ...place };
}

/** Returns the digest of a store that the names of its entries contain. */
export function digestStore(store: string): string {
  return createHash("sha256").update(store).digest("hex").slice(0, STORE_DIGITS);
}

/**
 * Pattern of ids, which are also names of files: they begin with a digit of a key, and hold no separators of
 * paths.
 */
const ID = /^[\da-f][\w-]{0,199}$/;

/** Checks whether a text is the id of a task, and so the name of a file in a queue that is a folder. */
export const isId = (text: string): boolean => ID.test(text);

/** Parts of an entry, and of its task, that are texts. */
const TEXTS = ["id", "engine", "store", "directory", "root"] as const;
const TASK_TEXTS = ["key", "kind", "label"] as const;

/**
 * Describes why a value is not the entry of a task; undefined if it is one. The parameters of the task are
 * checked by its worker.
 */
export function findEntryProblem(value: unknown): string | undefined {
  const entry = objectOf(value);
  const task = objectOf(entry["task"]);
  const inputs = objectOf(task["inputs"]);
  for (const name of TEXTS) if (typeof entry[name] !== "string") return mustBe(name, "text", entry[name]);
  for (const name of TASK_TEXTS)
    if (typeof task[name] !== "string") return mustBe(`task.${name}`, "text", task[name]);
  for (const name of ["params", "inputs"])
    if (!isObject(task[name])) return mustBe(`task.${name}`, "an object", task[name]);
  for (const [role, files] of Object.entries(inputs))
    if (!Array.isArray(files) || !files.every(isFile)) return mustBe(`task.inputs.${role}`, "files", files);
  if (isId(entry["id"] as string)) return undefined;
  return mustBe("id", 'a hexadecimal digit and up to 199 letters, digits, "-" and "_"', entry["id"]);
}

/**
 * Checks that a value from any source is the entry of a task.
 * @param attempt - purpose of the value, such as `add a task to a queue`
 * @throws InputError if the value is not a valid entry
 */
export function assertEntry(value: unknown, attempt: string): asserts value is QueuedTask {
  const problem = findEntryProblem(value);
  if (problem !== undefined) throw new InputError(`Cannot ${attempt} as ${problem}`, { input: "task" });
}

type Parts = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Parts =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const objectOf = (value: unknown): Parts => (isObject(value) ? value : {});

/** Checks whether a value refers to a file: one that another task makes, or one of the user. */
function isFile(value: unknown): boolean {
  const { task, file, path, digest, name = "" } = objectOf(value);
  const texts = task === undefined ? [path, digest, name] : [task, file];
  return texts.every((text) => typeof text === "string");
}

function mustBe(name: string, what: string, value: unknown): string {
  return value === undefined
    ? `its "${name}" must be ${what}: it is missing`
    : `its "${name}" must be ${what}: it is ${excerpt(value)}`;
}

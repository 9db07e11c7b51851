import { createHash } from "node:crypto";
import type { TaskKind } from "./task-kind.ts";

/** A file that a task reads: one that another task makes, or one that the user has. */
export type TaskFile = { readonly task: string; readonly file: string } | UserFile;

/** A file that the user has. */
export interface UserFile {
  readonly path: string;
  /** SHA-256 digest of its bytes. */
  readonly digest: string;
  /**
   * Path from the working folder, with `/` between its parts, at which the task itself looks for it; another
   * machine makes a working folder of all such files. @defaultValue the task is given a path
   */
  readonly name?: string | undefined;
}

/** Files that a task reads, by their role in it. */
export type TaskInputs = Readonly<Record<string, readonly TaskFile[]>>;

/** A piece of work whose result depends on nothing but what is written here and on the files it reads. */
export interface Task {
  /** Digest of all that decides the result. */
  readonly key: string;
  /** Name of its kind. */
  readonly kind: string;
  /** For people, not part of the key. */
  readonly label: string;
  readonly params: object;
  readonly inputs: TaskInputs;
}

/** Hexadecimal digits of a SHA-256 digest that make a key. */
const KEY_LENGTH = 24;

/**
 * Makes a task, whose key is a digest of its kind and the kind's version, the engine, the parameters and the
 * contents of the files it reads. Neither the label, nor the order of keys, nor the paths of files count,
 * but for names by which the task itself looks for them.
 *
 * @param engine - name of what computes the result; part of the key, as the bits of results depend on it
 */
export function createTask(
  { name, version }: Pick<TaskKind, "name" | "version">,
  engine: string,
  { params, inputs, label }: Pick<Task, "params" | "inputs" | "label">,
): Task {
  const decisive = { kind: name, version, engine, params, inputs: withoutPaths(inputs) };
  const key = createHash("sha256").update(canonicalJson(decisive)).digest("hex").slice(0, KEY_LENGTH);
  return { key, kind: name, label, params, inputs };
}

/** Lists the keys of the tasks whose files a task reads. */
export function dependenciesOf({ inputs }: Pick<Task, "inputs">): readonly string[] {
  return Object.values(inputs).flatMap((files) =>
    files.flatMap((file) => ("task" in file ? [file.task] : [])),
  );
}

/** Replaces the path of each file of the user by its digest: what is in a file matters, not where it lies. */
function withoutPaths(inputs: TaskInputs): Readonly<Record<string, readonly object[]>> {
  const entries = Object.entries(inputs).map(([name, files]) => {
    const contents = files.map((file) => ("path" in file ? { digest: file.digest, name: file.name } : file));
    return [name, contents] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Writes a value as JSON with sorted keys, so that equal values give equal texts. Keys whose value is
 * undefined are left out.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

import { createHash } from "@isthmus/platform";
import type { TaskKind } from "./task-kind.ts";

/** A file that a task reads: one that another task makes, or a file of the user. */
export type TaskFile =
  | {
      /** Key of the task that makes the file. */
      readonly task: string;
      /** Name of the file in the folder of that task. */
      readonly file: string;
    }
  | UserFile;

/** A file of the user. */
export interface UserFile {
  /** Path of the file on this machine; not part of the task's key, as the digest counts. */
  readonly path: string;
  /** SHA-256 digest of the bytes of the file. */
  readonly digest: string;
  /**
   * Path from the working folder, with `/` between its parts, under which the task itself looks the file up;
   * another machine makes a working folder of all such files. @defaultValue the path is an input of the task
   */
  readonly name?: string | undefined;
}

/** Files that a task reads, by their role in the task. */
export type TaskInputs = Readonly<Record<string, readonly TaskFile[]>>;

/** A piece of work whose result depends only on these fields and on the files that it reads. */
export interface Task {
  /** Digest of everything that determines the result. */
  readonly key: string;
  /** Name of the task's kind. */
  readonly kind: string;
  /** Label for people, which is not part of the key. */
  readonly label: string;
  /** Parameters as plain JSON data, in the form that the task's kind defines. */
  readonly params: object;
  /** Files to read, by their role in the task; files of other tasks make these its dependencies. */
  readonly inputs: TaskInputs;
}

/** Number of hexadecimal digits of a SHA-256 digest that form a key. */
const KEY_LENGTH = 24;

/**
 * Makes a task, whose key is a digest of its kind and the kind's version, the engine, the parameters and the
 * contents of the files it reads. The label, the order of keys and the paths of files do not count, except
 * for names under which the task itself looks files up.
 *
 * @param engine - name of the engine that computes the result; part of the key, as the bits of results depend
 *   on it
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

/** Replaces the path of each file of the user by its digest: the result depends on contents, not on paths. */
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

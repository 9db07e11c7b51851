import { createHash } from "node:crypto";
import type { TaskKind } from "../tasks/task-kind.ts";
import { canonicalJson } from "./canonical-json.ts";

/** A file that a task reads: what another task makes, or what the user has. */
export type TaskFile =
  | { readonly task: string; readonly file: string }
  | { readonly path: string; readonly digest: string };

/** Files that a task reads, by what it takes them for. */
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

/** Characters of a digest that are kept. */
const KEY_LENGTH = 24;

/**
 * Makes a task.
 * @param engine - name of the engine it will run on; part of the key, as the bits of results depend on it
 */
export function createTask<P extends object>(
  kind: TaskKind<P>,
  engine: string,
  { params, inputs, label }: { readonly params: P; readonly inputs: TaskInputs; readonly label: string },
): Task {
  const decisive = { kind: kind.name, version: kind.version, engine, params, inputs: withoutPaths(inputs) };
  const key = createHash("sha256").update(canonicalJson(decisive)).digest("hex").slice(0, KEY_LENGTH);
  return { key, kind: kind.name, label, params, inputs };
}

/** Where a file lies does not matter, what is in it does. */
function withoutPaths(inputs: TaskInputs): Readonly<Record<string, readonly object[]>> {
  const entries = Object.entries(inputs).map(([name, files]) => {
    const told = files.map((file) => ("path" in file ? { digest: file.digest } : file));
    return [name, told] as const;
  });
  return Object.fromEntries(entries);
}

import { at, UsageError } from "@isthmus/core";

/** Folders and signals of a running task of any kind. */
export interface TaskContext {
  /**
   * Folder for the files that the task makes; it contains the files of an earlier, interrupted run of the
   * same task.
   */
  readonly folder: string;
  /**
   * Folder of results that the waiting command has chosen for all its tasks; missing on the machine of that
   * command.
   */
  readonly store?: string | undefined;
  /** Signal that asks the task to stop; the task then throws a DOMException named AbortError. */
  readonly signal: AbortSignal;
  /** Called with the share of the work that is done, in `[0, 1]`. */
  onProgress(done: number): void;
}

/** Paths of the files that a task reads, by their role in the task. */
export type TaskPaths = Readonly<Record<string, readonly string[]>>;

/**
 * A kind of task: a name, and the code that does the work.
 * @typeParam Ports - resources of its tasks besides the context, such as an engine
 */
export interface TaskKind<P extends object = object, Ports extends object = object> {
  /** Name that is unique in a registry, by which tasks refer to the kind; part of their keys. */
  readonly name: string;
  /** Version of the code, which changes whenever the same parameters and files would give different bytes. */
  readonly version: number;
  /**
   * Checks parameters from another source, such as a queue; without this function, tasks of the kind run only
   * on the machine that planned them.
   * @throws InputError if the parameters do not fit a task of this kind
   */
  assertParams?(params: unknown): void;
  /**
   * Returns parameters with replaced paths, for a machine where files are in other folders.
   * @param move - maps a path in the parameters to its new path, and throws for a path that no task may name
   * @defaultValue the parameters contain no paths
   */
  movePaths?(params: P, move: (path: string) => string): P;
  /**
   * Returns additional folders in which a task writes files when it runs for another machine. They must
   * follow from the place of the task, never from its parameters, which are not trusted.
   * @defaultValue the task writes only into its own folder
   */
  writesInto?(place: Pick<TaskContext, "store">): readonly string[];
  /** Does the work: writes the files of the task and returns its result, plain data without any times. */
  run(context: TaskContext & Ports, params: P, inputs: TaskPaths): Promise<object>;
}

/** A registry: kinds of tasks by name. */
export type TaskKinds<Ports extends object = object> = ReadonlyMap<string, TaskKind<object, Ports>>;

/**
 * Makes a registry of kinds of tasks.
 * @throws UsageError if two kinds have the same name
 */
export function createTaskKinds<Ports extends object = object>(
  kinds: readonly TaskKind<object, Ports>[],
): TaskKinds<Ports> {
  const byName = new Map<string, TaskKind<object, Ports>>();
  for (const kind of kinds) {
    if (byName.has(kind.name)) {
      throw new UsageError(
        `Cannot list kinds of tasks as each must have a name of its own: two are called "${kind.name}"`,
      );
    }
    byName.set(kind.name, kind);
  }
  return byName;
}

/**
 * Returns the first file that a task reads in a role.
 * @throws UsageError if there is no such file
 */
export function pathOf(inputs: TaskPaths, role: string): string {
  return at(pathsOf(inputs, role), 0, role);
}

/**
 * Returns all files that a task reads in a role.
 * @throws UsageError if there is no such file
 */
export function pathsOf(inputs: TaskPaths, role: string): readonly string[] {
  const paths = inputs[role];
  if (paths !== undefined && paths.length > 0) return paths;
  throw new UsageError(`Cannot run a task as it must be given a file for "${role}": there is none`);
}

import { at, UsageError } from "@isthmus/core";

/** What every task works with, whatever its kind. */
export interface TaskContext {
  /** Folder for the files it makes; it holds what an earlier, interrupted run of the same task left. */
  readonly folder: string;
  /**
   * Folder of results that whoever waits has chosen, for all tasks of its work; missing on the machine of
   * whoever waits.
   */
  readonly store?: string | undefined;
  readonly signal: AbortSignal;
  /** Is called with the share of the work that is done, in `[0, 1]`. */
  onProgress(done: number): void;
}

/** Paths of the files a task reads, by their role in it. */
export type TaskPaths = Readonly<Record<string, readonly string[]>>;

/**
 * A kind of task: a name, and the code that does the work.
 * @typeParam Ports - what its tasks work with beside the context, such as an engine
 */
export interface TaskKind<P extends object = object, Ports extends object = object> {
  readonly name: string;
  /** Changes whenever the same parameters and files would give other bytes than before. */
  readonly version: number;
  /**
   * Checks parameters that come from elsewhere, such as a queue; without it, tasks of the kind run on the
   * machine that planned them alone.
   * @throws InputError if they are not the parameters of a task of this kind
   */
  assertParams?(params: unknown): void;
  /**
   * Returns parameters with other paths in them, for a machine where files lie elsewhere.
   * @param move - returns the new path for one in the parameters, and throws for one that no task may name
   * @defaultValue the parameters hold no paths
   */
  movePaths?(params: P, move: (path: string) => string): P;
  /**
   * Returns folders beside its own into whose files a task writes when it runs for another machine; it must
   * follow from where the task runs, never from its parameters, which a stranger may have written.
   * @defaultValue it writes into its own folder alone
   */
  writesInto?(place: Pick<TaskContext, "store">): readonly string[];
  /** Does the work: writes its files and returns its result, plain data that says nothing of time. */
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
 * @throws UsageError if there is none
 */
export function pathOf(inputs: TaskPaths, role: string): string {
  return at(pathsOf(inputs, role), 0, role);
}

/**
 * Returns all files that a task reads in a role.
 * @throws UsageError if there is none
 */
export function pathsOf(inputs: TaskPaths, role: string): readonly string[] {
  const paths = inputs[role];
  if (paths !== undefined && paths.length > 0) return paths;
  throw new UsageError(`Cannot run a task as it must be given a file for "${role}": there is none`);
}

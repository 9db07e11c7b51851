import type { DataSet, Engine } from "@isthmus/graph";

/** What a task works with. */
export interface TaskContext {
  readonly engine: Engine;
  /**
   * Opens examples by name.
   * @param inputs - names of a graph's inputs, which arrays of the data may have
   */
  openData(name: string, inputs?: readonly string[]): Promise<DataSet>;
  /** Folder for the files it makes; what an earlier, interrupted run of the same task left is in it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told how much is done, in `[0, 1]`. */
  onProgress(done: number): void;
}

/** Paths of the files a task reads, by what it takes them for. */
export type TaskPaths = Readonly<Record<string, readonly string[]>>;

/** A kind of task. */
export interface TaskKind<P extends object = object> {
  readonly name: string;
  /** Changes whenever the same parameters and files would give other bytes than before. */
  readonly version: number;
  /** Does the work: writes its files and returns its result, plain data that says nothing of time. */
  run(context: TaskContext, params: P, inputs: TaskPaths): Promise<object>;
}

/** Examples as a task is told of them: what is in them counts, not only what they are called. */
export interface TaskData {
  readonly name: string;
  readonly digest: string;
}

/** A network with random weights as a task is told of it: what it is counts, not only what it is called. */
export interface TaskNetwork {
  /** Short string of the zoo. */
  readonly net: string;
  /** Fingerprints of its graph, and of its weights by the seed of the task. */
  readonly graph: string;
  readonly weights: string;
}

/** The one file that a task takes for something. */
export function pathOf(inputs: TaskPaths, name: string): string {
  const [path] = inputs[name] ?? [];
  if (path !== undefined) return path;
  throw new TypeError(`Cannot run a task as it must be given a file for "${name}": there is none`);
}

import type { DataSet, Engine } from "@isthmus/graph";
import type { TaskKind } from "@isthmus/tasks";

/** Engine and examples that the tasks of a study work with. */
export interface StudyPorts {
  /** Engine that runs the networks. */
  readonly engine: Engine;
  /**
   * Opens examples by name.
   * @param inputs - names of a graph's inputs, which arrays of the data may have
   */
  openData(name: string, inputs?: readonly string[]): Promise<DataSet>;
}

/** A kind of task of a study. */
export type StudyTaskKind<P extends object = object> = TaskKind<P, StudyPorts>;

/** Examples, as the key of a task records them: by a digest of their content, and not by their name alone. */
export interface TaskData {
  /** Name of the examples, as a study writes it. */
  readonly name: string;
  /** Digest of the content of the examples, in hexadecimal. */
  readonly digest: string;
}

/**
 * A network with random weights, as the key of a task records it: by fingerprints, and not by its name alone.
 */
export interface TaskNetwork {
  /** Short string of the zoo. */
  readonly net: string;
  /** Fingerprint of its graph. */
  readonly graph: string;
  /** Fingerprint of its weights by the seed of the task. */
  readonly weights: string;
}

import { type Checkpoint, type ResolvedOf, UsageError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";

/** A network that a measurement trains, and examples for it. */
export interface TrainingSubject extends Architecture {
  /** Short string that the network is built by, or the file of its graph. */
  readonly name: string;
  /** Names of the network and of the examples to train on, as the user has written them. */
  readonly written: { readonly network: string; readonly data: string };
  /** Examples to train on. */
  readonly training: DataSet;
  /** Examples to measure on. */
  readonly data: DataSet;
  /** Returns the network that trainings with a seed start from. */
  initialize(seed: number): Checkpoint;
  /** Returns the networks that are trained together with a seed start from, all different. */
  initializeSeveral(seed: number, count: number): readonly Checkpoint[];
}

/** Examples to train a network on, and to measure it on. */
export interface TrainedExamples {
  /** Examples to train on. */
  readonly training: DataSet;
  /** Examples to measure on; undefined if a command line names none. */
  readonly data: DataSet | undefined;
}

/** Examples after a measurement has changed them. */
export interface ChangedExamples extends TrainedExamples {
  /** Number of outputs of the network for an example. @defaultValue one for each class */
  readonly outputs?: number;
}

/** Keys and help of the examples of a training. */
export interface ExamplesNames<Entry extends string = string> {
  /** Key of their name in entries of studies. */
  readonly entry: Entry;
  /** Key of their description in the parameters of tasks. */
  readonly param: string;
  /** Purpose of the examples, for help. @defaultValue help lists the forms of names */
  readonly help?: string;
}

/** Examples that are measured on, and their option on a command line. */
export interface MeasuredNames<Entry extends string = string> extends ExamplesNames<Entry> {
  /** Purpose of the examples, for help. */
  readonly help: string;
  /** Name of their option on a command line. */
  readonly flag: string;
  /**
   * Examples that are used if a command line names none: another split of the training examples; undefined if
   * it must name some.
   */
  readonly default: "other-split" | undefined;
}

/** A network as a task names it. */
export interface NamedTraining {
  /** Short string of the network. */
  readonly net: string;
  /** Network that a training starts from, whose bytes are part of the key of the task. */
  readonly start: Checkpoint;
  /** Name of the task in lists. */
  readonly label: string;
}

/** Names of the examples of a `training`, and the changes that the measurement makes to them. */
export interface TrainingDescription<O extends object> {
  /** Keys and help of the examples to train on. */
  readonly trained: ExamplesNames;
  /** Keys, help and flag of the examples to measure on. */
  readonly measured: MeasuredNames;
  /**
   * Options that decide how examples are changed; in the parameters of a task they stand beside the names of
   * the examples, and not among the options.
   */
  readonly options: readonly (string & keyof O)[];
  /** Name of the option, among these, that is the seed of a study. */
  readonly seed: string & keyof O;
  /** Changes the examples as the options say; the network is built for what it returns. */
  change(examples: TrainedExamples, options: ResolvedOf<O>): ChangedExamples;
  /** Names a training for the tasks of a study. */
  name(subject: Omit<TrainingSubject, "engine">, options: ResolvedOf<O>): NamedTraining;
}

/** Keys of entries that name the examples of a measurement of a `training`, for their types. */
export interface DescribesTraining<Trained extends string, Measured extends string, Seed extends string> {
  /** Names of the description of the training, as literal types. */
  readonly training: {
    readonly trained: { readonly entry: Trained };
    readonly measured: { readonly entry: Measured };
    readonly seed: Seed;
  };
}

/** The description of any training. */
export type AnyTrainingDescription = TrainingDescription<Readonly<Record<string, unknown>>>;

/**
 * Returns the description of the training that a measurement measures.
 * @throws UsageError if the definition has no such description
 */
export function trainingOf({
  attempt,
  training,
}: {
  readonly attempt: string;
  readonly training?: AnyTrainingDescription;
}): AnyTrainingDescription {
  if (training !== undefined) return training;
  throw new UsageError(
    `Cannot ${attempt} as a measurement of a training must say in "training" what it trains on: it is missing`,
  );
}

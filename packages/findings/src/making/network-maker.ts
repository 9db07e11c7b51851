import type { Checkpoint, FieldsOf, ResolvedOf } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { TrainingPace } from "../measurement/measurement.ts";
import type { Report } from "../report.ts";

/** Networks that a maker starts from, opened. */
export interface MakerStarts {
  /** One network; the maker makes a new one from every network of a group. */
  readonly network: { readonly network: Checkpoint };
  /** Several networks of one architecture; the maker makes a single one from all of them. */
  readonly networks: { readonly networks: readonly Checkpoint[] };
}

/** Whether a maker starts from one network or from several. */
export type MakerStart = keyof MakerStarts;

/** Examples that a maker asks for. */
export interface MakerExamples {
  /** Purpose of the examples, for help. */
  readonly help: string;
  /** Whether the maker does without them. @defaultValue false */
  readonly isOptional?: boolean;
  /**
   * Whether the network is trained on them; studies then record them as its training examples. @defaultValue
   * false
   */
  readonly isTrainedOn?: boolean;
}

/** Inputs of a maker: networks, architecture and examples. */
export type MakerSubject = MakerStarts[MakerStart] & {
  /** Graph and engine; undefined if a command names no graph, as the maker needs none. */
  readonly architecture: Architecture | undefined;
  /** Examples by the names that the maker has for them; optional ones that nobody named are missing. */
  readonly examples: Readonly<Record<string, DataSet>>;
};

/** Options with which a training goes on from the state that an interrupted run left, to be passed on. */
export interface Resuming {
  /** File in which the training keeps its state; undefined if it keeps none. */
  readonly statePath: string | undefined;
  /** Whether to go on from an existing state. */
  readonly resume: boolean;
  /** Signal that stops the training once its state is written. */
  readonly signal: AbortSignal;
  /** Callback for the progress: steps made, steps of the whole training, and its speed if known. */
  readonly onProgress: (
    at: { readonly step: number; readonly steps: number } & Partial<TrainingPace>,
  ) => void;
}

/** Controls of a run that makes a network (stopping, progress, state), for commands and tasks alike. */
export interface MakingControl {
  /** Signal that is aborted if the making is to stop. */
  readonly signal: AbortSignal;
  /**
   * Reports progress.
   * @param stage - name of the current stage, such as "Truncating"
   * @param done - share of the work that is done, in `[0, 1]`, if it is known
   */
  readonly report: (stage: string, done?: number) => void;
  /** Options of a training that goes on after an interruption, such as `train(…, { …, ...resuming })`. */
  readonly resuming: Resuming;
}

/** A network that was made. */
export interface MadeNetwork {
  /** Weights of the network that was made. */
  readonly weights: Checkpoint;
  /** Result of the making, as plain data, for pages and records. */
  readonly result: object;
}

/** Plan of a maker for a network: everything that it would do. */
export interface MakingPlan {
  /** Plan as plain data. */
  readonly result: object;
  /** The same in words and tables. */
  readonly report: Report;
}

/**
 * A way to make a network from others, in one place: the entry of a study, its schema and its task are made
 * of this, and so is the command that writes the network.
 * @typeParam O - its options
 * @typeParam X - names of the examples that it asks for
 */
export interface NetworkMaker<
  O extends object = Readonly<Record<string, unknown>>,
  X extends string = string,
> {
  /** Key by which entries of studies choose it, and name of its tasks and of its command. */
  readonly name: string;
  /** Version of its networks: a new version makes tasks begin from scratch. */
  readonly version: number;
  /** Description of the maker in one line, for help. */
  readonly summary: string;
  /** Verb phrase for error messages, such as `quantize`. */
  readonly attempt: string;
  /** Verb for the labels of its tasks, such as `quantise`. */
  readonly does: string;
  /** Name of the network that a command writes, for help, such as `the pruned network`. */
  readonly makes: string;
  /** Sort of its start: it makes one network from each network, or one from several together. */
  readonly from: MakerStart;
  /** Whether it needs the architecture, or works on tensors alone if a command names no graph. */
  readonly needsGraph: boolean;
  /** Its options, each once. */
  readonly options: FieldsOf<O>;
  /** Examples that it asks for, by the names that entries of studies and commands have for them. */
  readonly examples: Readonly<Record<X, MakerExamples>>;
  /** Whether its training keeps a state from which a command can resume. */
  readonly resumes: boolean;
  /** Words of command lines after the name of the command, each with its purpose. */
  readonly usage: readonly (readonly [words: string, purpose: string])[];
  /** Describes how a network differs from its start, such as `8 bits`. */
  labelOf(options: ResolvedOf<O>, examples: Readonly<Record<string, string>>): string;
  /** Makes a network. */
  make(subject: MakerSubject, options: ResolvedOf<O>, control: MakingControl): Promise<MadeNetwork>;
  /** Describes the result of a network that was made, for its page. */
  describe(result: object): Report;
  /**
   * Describes what it would do with a network, and makes nothing: its command then has `--dry-run`.
   * @defaultValue the command has no such option
   */
  explain?(subject: MakerSubject, options: ResolvedOf<O>, control: MakingControl): Promise<MakingPlan>;
}

import type { Checkpoint, FieldsOf, ResolvedOf } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { TrainingPace } from "../measurement/measurement.ts";
import type { Report } from "../report.ts";

/** Networks that a maker starts from, opened. */
export interface MakerStarts {
  /** One network: every network of a group gives one of its own. */
  readonly network: { readonly network: Checkpoint };
  /** Several networks of one architecture, which give one together. */
  readonly networks: { readonly networks: readonly Checkpoint[] };
}

/** Whether a maker starts from one network or from several. */
export type MakerStart = keyof MakerStarts;

/** Examples that a maker asks for. */
export interface MakerExamples {
  /** Says what they are for, as help says it. */
  readonly help: string;
  /** Whether the maker does without them. @defaultValue false */
  readonly isOptional?: boolean;
  /** Whether the network is trained on them, which studies then say of it. @defaultValue false */
  readonly isTrainedOn?: boolean;
}

/** What a maker makes a network of. */
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
  /** Whether to go on from a state that is there. */
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (
    at: { readonly step: number; readonly steps: number } & Partial<TrainingPace>,
  ) => void;
}

/** How a network is made, whoever started it. */
export interface MakingControl {
  /** Aborted if the making is to stop. */
  readonly signal: AbortSignal;
  /**
   * Reports progress.
   * @param stage - what is done at present, such as "Truncating"
   * @param done - share of the work that is done, in `[0, 1]`, if it is known
   */
  readonly report: (stage: string, done?: number) => void;
  /** Options of a training that goes on after an interruption, such as `train(…, { …, ...resuming })`. */
  readonly resuming: Resuming;
}

/** A network that was made. */
export interface MadeNetwork {
  readonly weights: Checkpoint;
  /** What is to be said of it: plain data. */
  readonly result: object;
}

/**
 * A way to make a network of others, in one place: the entry of a study, its schema and its task are made of
 * this, and so is the command that writes the network.
 * @typeParam O - its options
 * @typeParam X - names of the examples that it asks for
 */
export interface NetworkMaker<
  O extends object = Readonly<Record<string, unknown>>,
  X extends string = string,
> {
  /** Key by which entries of studies choose it, and name of its tasks and of its command. */
  readonly name: string;
  /** Version of its networks: another one makes tasks begin anew. */
  readonly version: number;
  /** Says in one line what it does. */
  readonly summary: string;
  /** What is attempted, for messages, such as `quantize`. */
  readonly attempt: string;
  /** What its tasks do to a network, for their labels, such as `quantise`. */
  readonly does: string;
  /** What a command writes, for help, such as `the pruned network`. */
  readonly makes: string;
  readonly from: MakerStart;
  /** Whether it needs the architecture, or works on tensors alone if a command names no graph. */
  readonly needsGraph: boolean;
  /** Its options, each once. */
  readonly options: FieldsOf<O>;
  /** Examples that it asks for, by the names that entries of studies and commands have for them. */
  readonly examples: Readonly<Record<X, MakerExamples>>;
  /** Whether a training of it keeps a state, from which a command goes on if asked to. */
  readonly resumes: boolean;
  /** Words of command lines after the name of the command, each with its purpose. */
  readonly usage: readonly (readonly [words: string, purpose: string])[];
  /** Says how a network differs from the one it was made of, such as `8 bits`. */
  labelOf(options: ResolvedOf<O>, examples: Readonly<Record<string, string>>): string;
  /** Makes a network. */
  make(subject: MakerSubject, options: ResolvedOf<O>, control: MakingControl): Promise<MadeNetwork>;
  /** Says what is to be said of a network. */
  describe(result: object): Report;
}

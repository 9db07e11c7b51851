import type { Checkpoint, FieldsOf, ResolvedOf } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";
import type { MeasuredResult, ResultKind } from "../result-kind.ts";
import type { AnyPairsMeasurement, MeasurePairs } from "./pairs.ts";
import type { TrainingDescription, TrainingSubject } from "./training-description.ts";

/** Parts of subjects of every sort: an architecture and examples. */
export interface OpenedSubject extends Architecture {
  /** Examples to measure on. */
  readonly data: DataSet;
  /** Examples to measure statistics of norms on. @defaultValue the first of `data` */
  readonly statisticsData: DataSet | undefined;
  /** Further examples that the measurement asks for, by their names in {@link Measurement.examplesBeside}. */
  readonly beside: ReadonlyMap<string, DataSet>;
  /** Discovers the symmetries of the architecture, once. */
  symmetries(): Promise<Symmetries>;
}

/** A network that is one of several subjects. */
export interface NamedSubject {
  /** Name of the network in figures and tables. */
  readonly label: string;
  /** Weights of the network. */
  readonly network: Checkpoint;
}

/** A network with an architecture of its own. */
export interface OwnSubject extends Architecture {
  /** Weights of the network, by the names of its graph. */
  readonly network: Checkpoint;
}

/** Networks that adversarial examples are made on together, or one after the other. */
export interface SourceSubject {
  /** Name of the source in figures and tables. */
  readonly name: string;
  /** Mode in which several networks make one attack: by all at every step, or by one in each step. */
  readonly mode: "together" | "in-turn";
  /** Networks of the source, of one architecture, at least one. */
  readonly networks: readonly Checkpoint[];
}

/** Subjects of measurements by their sort, opened: their files, data and architecture have been checked. */
export interface Subjects {
  /** One network. */
  readonly network: OpenedSubject & { readonly network: Checkpoint };
  /** Two networks of one architecture. */
  readonly pair: OpenedSubject & {
    readonly a: Checkpoint;
    /** The second network, aligned to the first if that was asked for. */
    readonly b: Checkpoint;
    /** The second network before any alignment. */
    readonly unaligned: Checkpoint;
    /**
     * Network at the end of paths from the first one. A command leaves it unaligned, and shows the line to
     * the aligned one beside the path; an entry of a study says whether it is aligned.
     */
    readonly end: Checkpoint;
  };
  /** Two networks of one architecture, and several sets of examples by their names; `data` is the first. */
  readonly "pair-on-sets": Subjects["pair"] & { readonly sets: Readonly<Record<string, DataSet>> };
  /** Two networks that may differ in their architectures, if both take the same examples. */
  readonly "unlike-pair": Pick<OpenedSubject, "data"> & { readonly a: OwnSubject; readonly b: OwnSubject };
  /** Several networks of one architecture. */
  readonly networks: OpenedSubject & { readonly networks: readonly NamedSubject[] };
  /** Several networks of one architecture, and a network that is seen beside them. */
  readonly "networks-and-star": Subjects["networks"] & {
    /** A network that straight lines of low loss connect to the others; undefined if there is none. */
    readonly star: Checkpoint | undefined;
  };
  /** Networks of one architecture that predict alone and together. */
  readonly ensemble: OpenedSubject & {
    readonly networks: readonly Checkpoint[];
    /** A network that straight lines of low loss connect to the others; it predicts, too, if there is one. */
    readonly star: Checkpoint | undefined;
    /** Other data, of which predictions should be unsure. */
    readonly others: readonly DataSet[];
  };
  /** Networks of one architecture that adversarial examples are made on, and ones that they are shown to. */
  readonly attack: OpenedSubject & {
    readonly sources: readonly SourceSubject[];
    readonly targets: readonly Checkpoint[];
  };
  /** A network, and the networks that give the directions of its landscape. */
  readonly landscape: OpenedSubject & {
    readonly network: NamedSubject;
    /** Snapshots of its training in their order, its initialization, or networks that directions lead to. */
    readonly others: readonly NamedSubject[];
  };
  /** Three networks that a plane goes through, and further ones that are placed in it. */
  readonly plane: OpenedSubject & {
    readonly models: readonly [NamedSubject, NamedSubject, NamedSubject];
    readonly placed: readonly NamedSubject[];
  };
  /** One network whose weights alone are read: neither its architecture nor examples are known. */
  readonly weights: Pick<Subjects["network"], "network">;
  /** Two networks whose weights alone are read. */
  readonly "weights-of-pair": Pick<Subjects["pair"], "a" | "b" | "unaligned">;
  /** Several networks whose weights alone are read. */
  readonly "weights-of-networks": Pick<Subjects["networks"], "networks">;
  /**
   * A network that is described and not read from a file: the measurement trains it, as a rule from random
   * weights.
   */
  readonly training: TrainingSubject;
}

/** Name of a sort of subject. */
export type SubjectName = keyof Subjects;

/** Origin of a network, which is kept beside its weights. */
export interface NetworkMaking {
  /** Networks that it was made from. */
  readonly from: readonly Checkpoint[];
  /** Further settings that it depends on, such as seeds, as values that JSON can hold. */
  readonly by: Readonly<Record<string, unknown>>;
}

/**
 * Writes a network.
 * @param name - name of its file, without an ending
 * @param making - origin of the network; may be missing for an intermediate network
 */
export type SaveNetwork = (name: string, network: Checkpoint, making?: NetworkMaking) => Promise<void>;

/** Pace of a training that is part of some work. */
export interface TrainingPace {
  /** Mean loss of the batches of the epoch so far; NaN before the first. */
  readonly meanLoss: number;
  /** Recent speed of training. */
  readonly examplesPerSecond: number;
}

/** Controls of the run of a measurement (stopping, progress, files), for commands and tasks alike. */
export interface Control<R = unknown> {
  /** Signal that is aborted if the measurement is to stop. */
  readonly signal: AbortSignal | undefined;
  /** File for finished parts, from which a measurement resumes after an interruption. @defaultValue none */
  readonly journalPath: string | undefined;
  /**
   * Reports progress.
   * @param stage - name of the current stage, such as "Taking units out"
   * @param done - share of the work that is done, in `[0, 1]`, if it is known
   * @param stored - whether a journal had this part, so that it took no time
   * @param training - pace of the current training, if there is one
   */
  readonly report: (stage: string, done?: number, stored?: boolean, training?: TrainingPace) => void;
  /**
   * Writes a finished or an intermediate network into the file or the folder that a command names.
   * @defaultValue undefined, if none is named
   */
  readonly saveNetwork: SaveNetwork | undefined;
  /** Writes the graph of the networks that are made. @defaultValue undefined, if no file is for it */
  readonly saveGraph?: ((graph: Graph) => Promise<void>) | undefined;
  /** Receives the partial result, to be shown if the measurement is stopped. */
  readonly onPart: (soFar: R) => void;
  /**
   * Measures pairs of the networks on the workers of a queue; for a measurement that has
   * {@link Measurement.pairs}.
   * @defaultValue undefined, if there is no queue: the measurement measures them itself
   */
  readonly measurePairs: MeasurePairs | undefined;
}

/** Further examples that a measurement asks for beside the ones it measures on. */
export interface ExamplesBeside {
  /** Purpose of the examples, for help. */
  readonly help: string;
  /** Name of their option on a command line. @defaultValue their name in kebab-case */
  readonly flag?: string;
  /** Name of their description in the parameters of a task. */
  readonly param: string;
  /** The examples if none are named: the training split of the measured ones, or none. */
  readonly default: "training-split" | undefined;
}

/** An option of a measurement that a command line gives by a flag of another meaning. */
interface FlaggedOption<O extends object> {
  /** Name of the option. */
  readonly option: string & keyof O;
  /** Name of the flag on a command line, such as `runs`. */
  readonly flag: string;
  /** Purpose of the flag, for help. */
  readonly help: string;
}

/**
 * Way in which a measurement trains networks. Its options are options of a training, as many as it has use
 * for, each with its field in `TRAINING_FIELDS`; command lines have flags such as `--lr` and `--flip` for
 * them.
 */
export interface Trains<O extends object = Readonly<Record<string, unknown>>> {
  /** Smallest number of epochs: 0 if an untrained network is a result, too. */
  readonly leastEpochs: 0 | 1;
  /** Optimizer that is used if none is named. */
  readonly optimizer: "sgd" | "adam" | "adamw";
  /** Whether it trains networks of any graph, or on images alone. @defaultValue "any" */
  readonly trained?: "any" | "images";
  /**
   * Name of the examples to train on among {@link Measurement.examplesBeside}. A command line names them by
   * `--data`, and the ones to measure on by `--test-data`, whose default is the test split of `--data`.
   * @defaultValue the subject opens the examples to train on itself
   */
  readonly on?: string;
  /**
   * Name of the object that holds the options of the training in the parameters of a task.
   * @defaultValue they stand among the other options
   */
  readonly param?: string;
  /**
   * The option that lists the seeds of several trainings: a command line gives their number, and the first
   * of them by `--seed`. @defaultValue one training, with the option `seed`
   */
  readonly seeds?: FlaggedOption<O>;
  /**
   * Option that takes the schedule of flags such as `--lr`, if some trainings use another schedule: the
   * option `schedule` then differs from it in the learning rate only, which has a flag of its own.
   * @defaultValue all trainings use `schedule`
   */
  readonly otherSchedule?: FlaggedOption<O> & { readonly defaultRate: number };
}

/** Networks that a measurement makes, which its command writes to `-o` in place of the result. */
export interface MadeNetworks<O extends object> {
  /** Meaning of `-o`, for help. */
  readonly help: string;
  /** Name of the file of the state beside them, from which `--resume` goes on, without an ending. */
  readonly state: string;
  /** Lists the names of their files without an ending; `-o` may name the file of the only one. */
  names(options: ResolvedOf<O>): readonly string[];
  /**
   * Names of the files of their graph and of the result in the same folder, without an ending.
   * @defaultValue there are none
   */
  readonly beside?: { readonly graph: string; readonly result: string };
}

/** Data and architecture on which the defaults of some options depend. */
export type CompletedBy = Pick<OpenedSubject, "data" | "beside" | "graph"> &
  Partial<Pick<TrainingSubject, "training">>;

/**
 * Definition of a measurement, in one place: the command, the entry of a study, the task of a worker, the
 * reading of results and their pages are made of this.
 */
export interface Measurement<S extends SubjectName, O extends object, R extends MeasuredResult>
  extends ResultKind<R> {
  /** Name of its results, its tasks and its entries in studies. */
  readonly kind: R["kind"];
  /** Name of its tasks, if other tasks have the name of its kind. @defaultValue the kind */
  readonly task?: string;
  /** Version of its numbers: a new version makes tasks begin from scratch. */
  readonly version: number;
  /** Verb phrase for error messages, such as `measure curvature`. */
  readonly attempt: string;
  /** Sort of its subject, such as a network or a pair of networks. */
  readonly subject: S;
  /**
   * Whether it measures on a line from one network of a pair to the other, so that help calls them the
   * networks at t = 0 and t = 1. @defaultValue false: they are the first and the second
   */
  readonly isOnLine?: boolean;
  /** Its options, each once. */
  readonly options: FieldsOf<O>;
  /**
   * Description of the examples, if the subject of the measurement is a `training`.
   * @defaultValue none, for any other subject
   */
  readonly training?: TrainingDescription<O>;
  /** Further examples by the names that entries of studies have for them. @defaultValue none */
  readonly examplesBeside?: Readonly<Record<string, ExamplesBeside>>;
  /**
   * Journal of finished parts: words for the parts that it keeps, such as "finished trials", the name of its
   * file in the folder of a task, and whether that is a folder of several files.
   * @defaultValue it has no journal
   */
  readonly journal?: { readonly keeps: string; readonly file: string; readonly isFolder?: boolean };
  /** Way in which it trains networks. @defaultValue it trains none */
  readonly trains?: Trains<O>;
  /** Networks that it makes. @defaultValue it makes none */
  readonly makes?: MadeNetworks<O>;
  /**
   * Words for the intermediate networks that a command can write into a folder. @defaultValue there are none
   */
  readonly networks?: string;
  /**
   * Way to measure two of several networks, if workers of a queue can do that.
   * @defaultValue all of it is measured by one process
   */
  readonly pairs?: AnyPairsMeasurement;
  /** Options of command lines, each with its purpose. */
  readonly examples: readonly (readonly [options: string, purpose: string])[];
  /**
   * Fills in options whose defaults depend on the architecture and the data, so that they are part of the key
   * of a task. @defaultValue the options unchanged
   */
  complete?(options: ResolvedOf<O>, subject: CompletedBy): ResolvedOf<O>;
  /** Measures a subject. */
  run(subject: Subjects[S], options: ResolvedOf<O>, control: Control<R>): Promise<R>;
  /**
   * Returns the record of a result that tables of studies read.
   * @defaultValue the result without the paths of its networks
   */
  recordOf?(result: R): object;
}

/** A measurement that trains networks. */
export type TrainingMeasurement<
  S extends SubjectName,
  O extends object,
  R extends MeasuredResult,
> = Measurement<S, O, R> & { /** Way in which it trains networks. */ readonly trains: Trains<O> };

/** Any measurement; its methods accept only values that the same measurement made. */
export type AnyMeasurement = Measurement<SubjectName, Readonly<Record<string, unknown>>, MeasuredResult>;

/** A measurement in a list of measurements, whose module is not loaded yet. */
export interface MeasurementEntry {
  /** Name of its results, its tasks and its entries in studies. */
  readonly kind: string;
  /** Name of its command. */
  readonly verb: string;
  /** Description of the measurement in one line. */
  readonly summary: string;
  /** Sort of its subject, such as a network or a pair of networks. */
  readonly subject: SubjectName;
  /** Whether it trains networks: its command stands among the ones that do. @defaultValue false */
  readonly trains?: boolean;
  /**
   * Flag that chooses it among several measurements of one command, such as `{ flag: "by", value: "walk" }`.
   */
  readonly way?: { readonly flag: string; readonly value: string; readonly help: string };
  /** Loader of the whole definition, which imports its module. */
  readonly load: () => Promise<AnyMeasurement>;
}

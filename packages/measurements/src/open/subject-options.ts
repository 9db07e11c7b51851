import type { CueKind } from "@isthmus/data";
import type { SubjectName } from "@isthmus/findings";
import type { BindArchitectureOptions, Engine } from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import type { AlignOptions } from "@isthmus/weight-matching";
import type { ExampleNames, OpenArchitectureOptions } from "@isthmus/zoo";

/** Controls of the opening of a subject, with its progress and its notes. */
export interface OpeningControl {
  /** Signal that is aborted if the opening is to stop. */
  readonly signal?: AbortSignal | undefined;
  /** Receives sentences for the user, such as how examples are fed. @defaultValue they are not told */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Receives the name of the current stage, and the share of it that is done if that is known. */
  readonly onProgress?: ((stage: string, done?: number) => void) | undefined;
  /**
   * Receives the paths of all files that are read, before anything is computed, so that a caller can refuse
   * to write into one of them.
   */
  readonly onFiles?: ((files: readonly string[]) => void | Promise<void>) | undefined;
}

/** Names of the architecture and the examples of networks that share both. */
export interface SharedOptions
  extends OpeningControl,
    OpenArchitectureOptions,
    Pick<BindArchitectureOptions, "unread" | "prefix">,
    ExampleNames {
  /** Engine that runs the networks. */
  readonly engine: Engine;
  /** File of the architecture. @defaultValue the config beside each network */
  readonly graph?: string | undefined;
  /** Checkpoint that the graph was exported from, if it is none of the networks. */
  readonly exportedFrom?: string | undefined;
  /** Policy for statistics of norms. @defaultValue the one of the measurement */
  readonly statistics?: StatisticsChoice | undefined;
  /**
   * Names of the further examples that the measurement asks for, by the names that entries of studies have
   * for them, such as `selectionData`. @defaultValue the ones that the measurement has by default
   */
  readonly beside?: Readonly<Record<string, string | undefined>> | undefined;
}

type WithoutControl<T> = T extends unknown ? Omit<T, "data" | keyof OpeningControl | "symmetries"> : never;

/** Way in which the second network of a pair is aligned to the first. */
export type PairAlignment = WithoutControl<AlignOptions>;

/** Names of the architecture, the examples and the alignment of two networks. */
export interface PairOptions extends SharedOptions {
  /**
   * Examples to measure on of a measurement that trains on `data`.
   * @defaultValue the test or the validation split of `data`
   */
  readonly testData?: string | undefined;
  /** Way in which the second network is aligned first. @defaultValue it is not aligned */
  readonly align?: PairAlignment | undefined;
  /** File of an alignment by which the second network is permuted, in place of `align`. */
  readonly alignment?: string | undefined;
  /** Name of the examples that `align` matches by. @defaultValue the examples for statistics */
  readonly matchData?: string | undefined;
}

/**
 * Names of the architecture, the examples and the alignment of two networks, and of several sets of examples.
 */
export interface PairOnSetsOptions extends PairOptions {
  /** Cue that is planted into `data` for several sets of examples. @defaultValue `place` without `set` */
  readonly cue?: CueKind | undefined;
  /** Share of the examples with a cue. */
  readonly cueShare?: number | undefined;
  /** Seed of the cue. */
  readonly cueSeed?: number | undefined;
  /** Other sets of examples, each as a name, `=`, and the name of a data set. */
  readonly set?: readonly string[] | undefined;
}

/** Names of the architectures and the examples of two networks that may differ in their architectures. */
export interface UnlikePairOptions
  extends OpeningControl,
    Pick<SharedOptions, "engine" | "graph" | "exportedFrom" | "outputs" | "scaling" | "onOpen"> {
  /** Name of the examples that both networks take. */
  readonly data: string;
  /** File of the architecture of the first network. @defaultValue `graph` */
  readonly graphA?: string | undefined;
  /** File of the architecture of the second network. @defaultValue `graph` */
  readonly graphB?: string | undefined;
  /** Checkpoint that `graphA` was exported from. @defaultValue `exportedFrom` */
  readonly exportedFromA?: string | undefined;
  /** Checkpoint that `graphB` was exported from. @defaultValue `exportedFrom` */
  readonly exportedFromB?: string | undefined;
}

/** Names of the architecture of several networks, of their examples, and of a star beside the networks. */
export interface StarredOptions extends SharedOptions {
  /** Checkpoint of a star, which straight lines of low loss connect to the others. @defaultValue none */
  readonly star?: string | undefined;
}

/** Names of the architecture and the examples of networks that predict alone and together. */
export interface EnsembleSubjectOptions extends StarredOptions {
  /** Names of other data, of which predictions should be unsure. @defaultValue none */
  readonly oodData?: readonly string[] | undefined;
  /**
   * Name of the examples that batch norms of the mean of weights are measured on.
   * @defaultValue the first of `data`
   */
  readonly statisticsData?: string | undefined;
}

/** Names of the networks that adversarial examples are made on; a name may be a pattern with `*` or `?`. */
export interface SourceNames {
  /** Networks that examples are made on alone. */
  readonly surrogate?: readonly string[] | undefined;
  /** Networks that examples are made on by the mean of their logits: names with commas between them. */
  readonly together?: readonly string[] | undefined;
  /** Networks that take turns, one for each step of an attack: names with commas between them. */
  readonly inTurn?: readonly string[] | undefined;
}

/** Names of the source of the directions of a landscape. */
export interface DirectionNames {
  /** `random`, `eigenvectors`, `trajectory`, or checkpoints to go to. @defaultValue `random` */
  readonly directions?: readonly string[] | undefined;
  /** Snapshots of a trajectory in their order: files, or folders of files. */
  readonly snapshots?: readonly string[] | undefined;
  /** Initialization from which the landscape is one line to the network. */
  readonly from?: string | undefined;
}

/** Names of the architecture and the examples of networks that a plane goes through. */
export interface PlaneSubjectOptions extends SharedOptions {
  /** Further checkpoints, which are placed in the plane. @defaultValue none */
  readonly place?: readonly string[] | undefined;
}

/** Names of a network to train, and of the examples to train it on and to measure it on. */
export interface TrainingSubjectOptions
  extends OpeningControl,
    Pick<SharedOptions, "engine" | "graph" | "exportedFrom" | "scaling" | "onOpen" | "unread" | "prefix">,
    OpenArchitectureOptions {
  /** Name of the examples to train on. */
  readonly data: string;
  /**
   * Name of the examples to measure on; `none` for no examples.
   * @defaultValue another split of `data`, if there is one
   */
  readonly evalData?: string | undefined;
  /** Short string that the network is built by. @defaultValue `graph` is trained */
  readonly net?: string | undefined;
  /** Checkpoint that trainings with all seeds start from. @defaultValue random weights of each seed */
  readonly from?: string | undefined;
}

/** Options for opening each sort of subject. */
export interface SubjectOptions {
  readonly network: SharedOptions;
  readonly networks: SharedOptions;
  readonly "networks-and-star": StarredOptions;
  readonly pair: PairOptions;
  readonly "pair-on-sets": PairOnSetsOptions;
  readonly "unlike-pair": UnlikePairOptions;
  readonly ensemble: EnsembleSubjectOptions;
  readonly attack: SharedOptions & SourceNames;
  readonly landscape: SharedOptions & DirectionNames;
  readonly plane: PlaneSubjectOptions;
  readonly weights: OpeningControl;
  readonly "weights-of-pair": OpeningControl;
  readonly "weights-of-networks": OpeningControl;
  readonly training: TrainingSubjectOptions;
}

/** Names of options, each with `true`, so that the compiler finds one that is missing. */
type NamesOf<T> = { readonly [K in keyof T]-?: true };

const CONTROL: NamesOf<OpeningControl> = { signal: true, onNote: true, onProgress: true, onFiles: true };

const UNLIKE_PAIR: NamesOf<UnlikePairOptions> = {
  ...CONTROL,
  engine: true,
  graph: true,
  exportedFrom: true,
  outputs: true,
  data: true,
  scaling: true,
  onOpen: true,
  graphA: true,
  graphB: true,
  exportedFromA: true,
  exportedFromB: true,
};

const { graphA: _, graphB: __, exportedFromA: ___, exportedFromB: ____, ...READING } = UNLIKE_PAIR;

const BINDING = { unread: true, prefix: true, input: true, logits: true, loss: true } as const;

const SHARED: NamesOf<SharedOptions> = {
  ...READING,
  ...BINDING,
  recalibrateData: true,
  recalibrateExamples: true,
  temperature: true,
  statistics: true,
  beside: true,
};

const STARRED: NamesOf<StarredOptions> = { ...SHARED, star: true };

const PAIR: NamesOf<PairOptions> = {
  ...SHARED,
  testData: true,
  align: true,
  alignment: true,
  matchData: true,
};

/** Names of the options for opening each sort of subject; other options are ones of the measurement. */
export const SUBJECT_OPTIONS: { readonly [S in SubjectName]: NamesOf<SubjectOptions[S]> } = {
  network: SHARED,
  networks: SHARED,
  "networks-and-star": STARRED,
  pair: PAIR,
  "pair-on-sets": { ...PAIR, cue: true, cueShare: true, cueSeed: true, set: true },
  "unlike-pair": UNLIKE_PAIR,
  ensemble: { ...STARRED, oodData: true, statisticsData: true },
  attack: { ...SHARED, surrogate: true, together: true, inTurn: true },
  landscape: { ...SHARED, directions: true, snapshots: true, from: true },
  plane: { ...SHARED, place: true },
  weights: CONTROL,
  "weights-of-pair": CONTROL,
  "weights-of-networks": CONTROL,
  training: { ...READING, ...BINDING, evalData: true, net: true, from: true },
};

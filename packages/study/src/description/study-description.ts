import type { CumulativeOrder, LayerPattern } from "@isthmus/barrier";
import type { PathKind } from "@isthmus/interpolation";
import type { RayDistribution } from "@isthmus/star-domain";
import type { StatisticsChoice } from "@isthmus/statistics";
import type { AugmentOptions, LossSpec, OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import type { MatchLearnedOptions } from "@isthmus/weight-matching";
import type { MergeMeasurement } from "./merge-measurement.ts";
import type { EachMeasurement } from "./network-measurement.ts";
import type { FigureDescription, TableDescription } from "./table-description.ts";
import type { TunedNetwork } from "./tuned-network.ts";
import type { VariableValue, WantedValues } from "./variable-values.ts";

/** Values by name of the variable. */
export type Variables = Readonly<Record<string, VariableValue>>;

/**
 * An entry that is made once for every combination of values of its variables. `${name}` in any of its texts
 * is replaced by the value; a text that is nothing else becomes the value itself, and `{ lookup }` the value
 * found there.
 */
export type Repeated<T> = { readonly [K in keyof T]: Templated<T[K]> } & {
  /**
   * Values of each variable; `"0..16"` means the whole numbers from 0 to 16.
   * @defaultValue none: the entry is made once
   */
  readonly for?: Readonly<Record<string, readonly VariableValue[] | string>>;
};

/** A value for each value of a variable, such as fewer epochs for wider networks. */
export interface Lookup {
  readonly variable: string;
  readonly values: Readonly<Record<string, VariableValue>>;
}

/** A type with texts or tables in place of values that depend on variables. */
export type Templated<T> = T extends string
  ? string | { readonly lookup: Lookup }
  : T extends number | boolean
    ? T | string | { readonly lookup: Lookup }
    : { readonly [K in keyof T]: Templated<T[K]> };

/** A network to train; options that are missing have the defaults of `train`. */
export interface TrainedNetwork {
  /** Short string of the zoo, such as `mlp:512x3`. */
  readonly net: string;
  /** Name of the examples to train on, such as `mnist:train`. */
  readonly data: string;
  /** Seed of weights, order of examples, augmentation and dropout. */
  readonly seed: number;
  readonly epochs: number;
  /**
   * Numbers of epochs, ascending, after which the weights are saved; each gives a network of its own.
   * @defaultValue the last only
   */
  readonly snapshots?: readonly number[];
  readonly batch?: number;
  readonly loss?: LossSpec;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
  readonly augment?: AugmentOptions;
}

/** A network that is there. */
export interface LoadedNetwork {
  /** Its architecture, an `.onnx` file. */
  readonly graph: string;
  readonly checkpoint: string;
  /**
   * Checkpoint that the graph was exported from, if that is neither network of a pair: it shows which weight
   * of the graph is which tensor.
   * @defaultValue looked for among the networks that are measured
   */
  readonly exportedFrom?: string;
}

/** A star of other networks, to be found; options that are missing have the defaults of `findStar`. */
export interface StarNetwork {
  /**
   * Name of the group of its anchors, which must come before it: the anchors are the networks of the group
   * that agree with the star in all variables that both have.
   */
  readonly star: string;
  /**
   * Short string of the network whose random weights, by the seed, it starts from.
   * @defaultValue it starts from the anchors' mean
   */
  readonly net?: string;
  /** Name of the examples to train on. */
  readonly data: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batch?: number;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
  readonly rays?: RayDistribution;
  readonly alignEvery?: number;
  readonly restarts?: number;
  readonly statisticsExamples?: number;
}

/** A network of a study. */
export type NetworkDescription = TrainedNetwork | LoadedNetwork | StarNetwork | TunedNetwork;

/**
 * Which networks are measured two by two: networks of one group that differ in one variable only, or every
 * network of one group with every network of another whose other variables have equal values, as far as both
 * have them.
 */
export interface PairSelection {
  /** Name of a group of networks, or of two. */
  readonly between: string | readonly [string, string];
  /** The variable they differ in. @defaultValue "seed" */
  readonly across?: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /**
   * Which networks of one group are paired: all with all, each with the next, or the first with the second,
   * the third with the fourth, and so on.
   * @defaultValue "all"
   */
  readonly choose?: PairChoice;
  /** Whether the second network is aligned to the first. @defaultValue "none" */
  readonly align?: AlignChoice;
  /** Searches of the alignment by weights. @defaultValue the default of `matchWeights` */
  readonly restarts?: number;
  /** How alignments by activations and learned ones are found; the others do not read it. */
  readonly match?: MatchChoice;
}

/** See {@link PairSelection}. */
export type PairChoice = "all" | "consecutive" | "disjoint";

/** Names of all ways to align the second network of a pair to the first, see {@link AlignChoice}. */
export const ALIGN_CHOICES = ["none", "weight", "activation", "learned"] as const;

/**
 * How the second network of a pair is aligned to the first: not at all, by permutations that match weights
 * or activations, or by the whole symmetry group, rotations included, which is learned.
 */
export type AlignChoice = (typeof ALIGN_CHOICES)[number];

/**
 * The examples by which networks are matched, and how an alignment is learned; options that are missing have
 * the defaults of `matchActivations` and `matchLearned`.
 */
export interface MatchChoice {
  /**
   * Name of the examples, of which labels are not used.
   * @defaultValue the examples that both networks were trained on
   */
  readonly data?: string;
  /** How many of them are used: the first ones. */
  readonly examples?: number;
  /** Steps of learning; 0 leaves the closed form as it is. */
  readonly steps?: number;
  /** Examples in a step of learning. */
  readonly batch?: number;
  /** Largest step of learning in an element of a generator. */
  readonly learningRate?: number;
  /** Where between both networks learning makes its steps. */
  readonly at?: Required<MatchLearnedOptions>["at"];
  /** Whether units may be permuted again while alignments are learned. */
  readonly units?: Required<MatchLearnedOptions>["units"];
  /** How steps in matrices are made of gradients. */
  readonly rule?: Required<MatchLearnedOptions>["rule"];
  readonly heads?: Required<MatchLearnedOptions>["heads"];
}

/** What is measured on pairs of networks. */
export interface PairMeasurement extends PairSelection {
  /** Name of the examples to evaluate on. */
  readonly data: string;
  readonly points?: number;
  readonly statistics?: StatisticsChoice;
  /** Name of the examples that statistics are measured on. @defaultValue `data` */
  readonly statisticsData?: string;
  /** Examples in one engine call: more are faster for small networks. */
  readonly batchSize?: number;
}

/** The barrier between networks; options that are missing have the defaults of `measureBarrier`. */
export interface BarrierMeasurement extends PairMeasurement {
  readonly kind: "barrier";
  readonly refine?: number;
  readonly path?: PathKind;
  /**
   * Whether the loss is measured also with one softmax temperature, fitted at every place.
   * @defaultValue false
   */
  readonly temperature?: boolean;
}

/** Barriers layer by layer; options that are missing have the defaults of `measureLayers`. */
export interface LayersMeasurement extends PairMeasurement {
  readonly kind: "layers";
  readonly groups?: readonly LayerPattern[];
  readonly orders?: readonly CumulativeOrder[];
  readonly predict?: number;
  readonly directions?: number;
}

/** Something that a study measures. */
export type MeasurementDescription =
  | BarrierMeasurement
  | LayersMeasurement
  | MergeMeasurement
  | EachMeasurement;

/** A group of networks. */
export type RepeatedNetwork =
  | Repeated<TrainedNetwork>
  | Repeated<LoadedNetwork>
  | Repeated<StarNetwork>
  | Repeated<TunedNetwork>;

/** A study as plain data: networks to train or load, what to measure on them, and what to show of it. */
export interface StudyDescription {
  readonly title: string;
  /** What is studied and why, for the page. @defaultValue none */
  readonly description?: string;
  /** Present if this is a part of a study, see `restrictStudy`: the only values that some variables have. */
  readonly only?: Readonly<Record<string, readonly VariableValue[]>>;
  /** Seed of whatever measurements choose at random. @defaultValue 0 */
  readonly seed?: number;
  /** Groups of networks by name; networks that are made of others after them. */
  readonly networks: Readonly<Record<string, RepeatedNetwork>>;
  readonly measurements: Readonly<Record<string, Repeated<MeasurementDescription>>>;
  readonly tables: Readonly<Record<string, TableDescription>>;
  readonly figures?: readonly FigureDescription[];
}

import type { BARRIER } from "@isthmus/barrier";
import type { Repeated, VariableValue } from "@isthmus/forms";
import type { RayDistribution } from "@isthmus/star-domain";
import type { AugmentOptions, LossSpec, OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import type { BuiltInEntry, EntryOf } from "../measurement/entry.ts";
import type { CollectedStudyNetwork, ScatteredStudyNetwork } from "./collected-network.ts";
import type { PrunedStudyNetwork, QuantizedStudyNetwork } from "./derived-network.ts";
import type { IntrinsicDimensionMeasurement } from "./dimension-measurement.ts";
import type { MergeMeasurement } from "./merge-measurement.ts";
import type { ParetoMeasurement } from "./pareto-measurement.ts";
import type { CurveMeasurement } from "./path-measurements.ts";
import type { FigureDescription, TableDescription } from "./table-description.ts";
import type { TicketNetwork } from "./ticket-network.ts";
import type { ConnectivityTunedNetwork, TunedNetwork } from "./tuned-network.ts";
import type { WantedValues } from "./wanted-values.ts";

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
   * Numbers of epochs, ascending, after which the weights are saved, 0 for the start; each gives a network of
   * its own.
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
  /** Only anchors whose variables have these values. */
  readonly where?: WantedValues;
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
export type NetworkDescription =
  | TrainedNetwork
  | LoadedNetwork
  | StarNetwork
  | TunedNetwork
  | ConnectivityTunedNetwork
  | PrunedStudyNetwork
  | TicketNetwork
  | QuantizedStudyNetwork
  | CollectedStudyNetwork
  | ScatteredStudyNetwork;

/** The barrier between networks; options that are missing have the defaults of `measureBarrier`. */
export type BarrierMeasurement = EntryOf<typeof BARRIER>;

/** Something that a study measures. */
export type MeasurementDescription =
  | BuiltInEntry
  | BarrierMeasurement
  | CurveMeasurement
  | MergeMeasurement
  | ParetoMeasurement
  | IntrinsicDimensionMeasurement;

/** A group of networks. */
export type RepeatedNetwork =
  | Repeated<TrainedNetwork>
  | Repeated<LoadedNetwork>
  | Repeated<StarNetwork>
  | Repeated<TunedNetwork>
  | Repeated<ConnectivityTunedNetwork>
  | Repeated<PrunedStudyNetwork>
  | Repeated<TicketNetwork>
  | Repeated<QuantizedStudyNetwork>
  | Repeated<CollectedStudyNetwork>
  | Repeated<ScatteredStudyNetwork>;

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

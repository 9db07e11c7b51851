import type { CumulativeOrder, LayerPattern } from "@isthmus/barrier";
import type { Repeated, VariableValue } from "@isthmus/forms";
import type { PathKind } from "@isthmus/interpolation";
import type { StatisticsChoice } from "@isthmus/statistics";
import type { BuiltInEntry } from "../measurement/entry.ts";
import type { CollectedStudyNetwork } from "../networks/collect.ts";
import type { LoadedNetwork } from "../networks/load.ts";
import type { PrunedStudyNetwork } from "../networks/prune.ts";
import type { QuantizedStudyNetwork } from "../networks/quantize.ts";
import type { ScatteredStudyNetwork } from "../networks/scatter.ts";
import type { StarNetwork } from "../networks/star.ts";
import type { TicketNetwork } from "../networks/tickets.ts";
import type { TrainedNetwork } from "../networks/train.ts";
import type { TunedNetwork } from "../networks/tune.ts";
import type { ConnectivityTunedNetwork } from "../networks/tune-by-connectivity.ts";
import type { IntrinsicDimensionMeasurement } from "./dimension-measurement.ts";
import type { AttackMeasurement, EnsembleMeasurement } from "./ensemble-measurement.ts";
import type { MergeMeasurement } from "./merge-measurement.ts";
import type { EachMeasurement } from "./network-measurement.ts";
import type { PairSelection } from "./pair-selection.ts";
import type { ParetoMeasurement } from "./pareto-measurement.ts";
import type {
  CurveMeasurement,
  DropoutPathMeasurement,
  MechanismsMeasurement,
  SimilarityMeasurement,
  WalkedPathMeasurement,
} from "./path-measurements.ts";
import type { FigureDescription, TableDescription } from "./table-description.ts";

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
  | BuiltInEntry
  | BarrierMeasurement
  | LayersMeasurement
  | CurveMeasurement
  | DropoutPathMeasurement
  | WalkedPathMeasurement
  | MechanismsMeasurement
  | SimilarityMeasurement
  | MergeMeasurement
  | EachMeasurement
  | EnsembleMeasurement
  | AttackMeasurement
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

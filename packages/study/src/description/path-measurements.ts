import type { MeasurePathOptions, TrainCurveOptions } from "@isthmus/curve";
import type { LossSpec, OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import type { PairSelection } from "./pair-selection.ts";

/** What is measured on a path between the networks of pairs that is no straight line. */
export interface PathMeasurement extends PairSelection {
  /** Name of the examples to evaluate on. */
  readonly data: string;
  /** Name of the examples that statistics are measured on. @defaultValue `data` */
  readonly statisticsData?: string;
  /** Examples in one engine call: more are faster for small networks. */
  readonly batchSize?: number;
}

/** What is measured on pairs of networks, on several sets of examples. */
export interface SetsMeasurement extends Omit<PathMeasurement, "data"> {
  /** Names of the examples of each set, such as `mnist:test+cue=place`, by the name of the set. */
  readonly sets: Readonly<Record<string, string>>;
}

/** The shape of a curve, and how it is measured. */
export type CurveChoice = Pick<TrainCurveOptions, "curve" | "bends"> &
  Pick<MeasurePathOptions, "points" | "statistics">;

/**
 * A curve that is trained between the networks, beside the straight line; options that are missing have the
 * defaults of `trainCurve` and `measureCurve`.
 */
export interface CurveMeasurement extends PathMeasurement, CurveChoice {
  readonly kind: "curve";
  /** Name of the examples to train on. */
  readonly trainOn: string;
  readonly epochs: number;
  readonly batch?: number;
  readonly loss?: LossSpec;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
}

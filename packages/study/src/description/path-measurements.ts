import type { MeasurePathOptions, TrainCurveOptions } from "@isthmus/curve";
import type { MeasureMechanismsOptions } from "@isthmus/mechanisms";
import type { MeasureDropoutPathOptions, MeasureWalkedPathOptions } from "@isthmus/paths";
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

/** How units are taken out, and the path is measured. */
export type DropoutPathChoice = Pick<
  MeasureDropoutPathOptions,
  "choice" | "rescale" | "trials" | "statistics" | "pointsPerLine"
>;

/**
 * A path through networks without half of their units, beside the straight line; options that are missing
 * have the defaults of `measureDropoutPath`.
 */
export interface DropoutPathMeasurement extends PathMeasurement, DropoutPathChoice {
  readonly kind: "dropout-path";
}

/** How layers walk, and the path is measured. */
export type WalkedPathChoice = Pick<
  MeasureWalkedPathOptions,
  "moves" | "trainSteps" | "learningRate" | "statistics" | "points"
>;

/**
 * A path on which one layer after the other walks, beside the straight line; options that are missing have
 * the defaults of `measureWalkedPath`.
 */
export interface WalkedPathMeasurement extends PathMeasurement, WalkedPathChoice {
  readonly kind: "walked-path";
  /** Name of the examples to train on. */
  readonly trainOn: string;
  readonly batch?: number;
  readonly optimizer?: OptimizerSpec;
}

/** How mechanisms are measured. */
export type MechanismsChoice = Pick<MeasureMechanismsOptions, "points" | "tolerance" | "statistics">;

/**
 * Whether networks predict by the same mechanisms: loss and error on the line between them, on several data
 * sets; options that are missing have the defaults of `measureMechanisms`.
 */
export interface MechanismsMeasurement extends Omit<PathMeasurement, "data">, MechanismsChoice {
  readonly kind: "mechanisms";
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

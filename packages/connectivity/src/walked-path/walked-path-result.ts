import type { LossFields } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";
import type { MeasuredPath } from "../curve/curve-result.ts";
import type { NamedMeasuredPath } from "../dropout-path/measure-dropout-path.ts";

/** A part of a path, on which one layer walks. */
export interface WalkedSegment {
  /** Name of the layer. */
  readonly layer: string;
  /** Places where it begins and ends to walk, in `[0, 1]`. */
  readonly from: number;
  readonly to: number;
}

/** Loss and error on a path that layers walked one after the other, beside the straight line and others. */
export interface WalkedPathResult extends LossFields {
  readonly kind: "walked-path";
  /** Places are networks right after each move and before the next one, both ends among them. */
  readonly path: MeasuredPath;
  readonly line: MeasuredPath;
  /** Other paths, as they were given. */
  readonly beside: readonly NamedMeasuredPath[];
  readonly segments: readonly WalkedSegment[];
  /** Moves in which a layer reached its place. */
  readonly moves: number;
  /** Steps of training before each move. */
  readonly trainSteps: number;
  /** All steps of training. */
  readonly steps: number;
  readonly batch: number;
  readonly optimizer: string;
  readonly learningRate: number;
  /** Name of the examples that layers were trained on. */
  readonly trainingData: string;
  readonly statistics: NormPolicy;
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  readonly seed: number;
  readonly engine: string;
}

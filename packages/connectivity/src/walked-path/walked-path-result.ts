import type { LossFields } from "@isthmus/graph";
import type { NormPolicy } from "@isthmus/statistics";
import type { MeasuredPath } from "../curve/curve-result.ts";
import type { NamedMeasuredPath } from "../dropout-path/measure-dropout-path.ts";

/** Part of a path on which one layer walks. */
export interface WalkedSegment {
  /** Name of the layer. */
  readonly layer: string;
  /** Place of the path at which the layer begins to walk, in `[0, 1]`; it arrives at `to`. */
  readonly from: number;
  /** Place of the path at which the layer arrives, in `[0, 1]`. */
  readonly to: number;
}

/**
 * Loss and error on a path on which layers moved one after the other, beside the straight line and other
 * paths.
 */
export interface WalkedPathResult extends LossFields {
  /** Kind of the result. */
  readonly kind: "walked-path";
  /**
   * Path of the walk; its places are the networks right after each move and before the next one, and both
   * ends.
   */
  readonly path: MeasuredPath;
  /** Loss and error along the straight line between the ends. */
  readonly line: MeasuredPath;
  /** Other paths, in the order of the option `beside`. */
  readonly beside: readonly NamedMeasuredPath[];
  /** Parts of the path, one for each layer, in the order in which layers walk. */
  readonly segments: readonly WalkedSegment[];
  /** Number of moves in which a layer reached its target. */
  readonly moves: number;
  /** Number of steps of training before each move. */
  readonly trainSteps: number;
  /** Number of all steps of training. */
  readonly steps: number;
  /** Number of examples in a step of training. */
  readonly batch: number;
  /** Kind of the optimizer, such as `sgd`. */
  readonly optimizer: string;
  /** Learning rate of all steps of training. */
  readonly learningRate: number;
  /** Name of the examples on which layers were trained. */
  readonly trainingData: string;
  /** Treatment of batch norms between the ends. */
  readonly statistics: NormPolicy;
  /** Number of examples that were evaluated at each place. */
  readonly examples: number;
  /** Name of the examples that were evaluated. */
  readonly data: string;
  /** Source of the first network, such as its file. */
  readonly a: string;
  /** Source of the second network, such as its file. */
  readonly b: string;
  /** Seed of the order of examples. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}

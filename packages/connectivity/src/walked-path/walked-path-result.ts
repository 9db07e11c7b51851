import type { PathsResult } from "../path/path-result.ts";

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
 * paths. Its places are the networks right after each move and before the next one, and both ends.
 */
export interface WalkedPathResult extends PathsResult {
  /** Kind of the result. */
  readonly kind: "walked-path";
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
}

import type { BarrierPoint, BarrierValues } from "./barrier-result.ts";
import type { PairOrigin } from "./pair-origin.ts";

/** A group of tensors that are interpolated together. */
export interface LayerGroup {
  /** Name of the group: a layer, a block, or a user-defined one. */
  readonly name: string;
  /** Names of the group's tensors. */
  readonly tensors: readonly string[];
  /** Number of elements of these tensors. */
  readonly elements: number;
  /** Euclidean norm of the difference between A and B in the group's parameters. */
  readonly euclideanDistance: number;
  /**
   * Cosine of the angle between A and B in these parameters, in `[-1, 1]`; 0 if all of these parameters are 0
   * in A or in B.
   */
  readonly cosineSimilarity: number;
}

/**
 * Curve of loss and error along a path on which some groups move from one network to the other while the
 * others stay.
 */
export interface LayerCut {
  /** Names of the groups that move. */
  readonly groups: readonly string[];
  /** The network whose other groups stay. */
  readonly fixed: "a" | "b";
  /**
   * Points of the path, ascending in t, from 0 (all groups as in `fixed`) to 1 (moving groups as in the other
   * network).
   */
  readonly points: readonly BarrierPoint[];
  /** Barriers above the ends of this curve. */
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
  /**
   * Rise at the midpoint above the mean of the whole networks, `L(1/2) - [L(A) + L(B)] / 2` (Adilova et al.
   * 2024).
   */
  readonly wholeEndpoints: { readonly loss: number; readonly error: number };
}

/** Names of the orders in which groups are accumulated. */
export const CUMULATIVE_ORDERS = ["shallow-to-deep", "deep-to-shallow", "random", "middle-first"] as const;

/** An order in which groups are accumulated. */
export type CumulativeOrder = (typeof CUMULATIVE_ORDERS)[number];

/** The barrier of one group by itself. */
export interface LayerBarrier {
  /** Name of the group that moves alone. */
  readonly group: string;
  /** Cut with the other groups as in A. */
  readonly a: LayerCut;
  /** Cut with the other groups as in B. */
  readonly b: LayerCut;
  /** Loss and error that averaging this group alone adds: the mean of `wholeEndpoints` of both cuts. */
  readonly barrier: { readonly loss: number; readonly error: number };
}

/** One place of a predicted barrier, above the chord between L(A) and L(B). */
export interface PredictedPoint {
  /** Place on the path, in `[0, 1]`. */
  readonly t: number;
  /** Rise predicted to second order, in nats. */
  readonly predicted: number;
  /** Rise measured on the same examples, in nats. */
  readonly measured: number;
}

/**
 * Barrier predicted to second order from both ends, and the measured barrier.
 *
 * The barrier of a group `g` is the largest
 * `(1 - t) L(A + t d_g) + t L(B - (1 - t) d_g) - [(1 - t) L(A) + t L(B)]` over t, where `d_g` is the
 * difference from A to B in that group. For all groups at once it is the chord barrier, and at t = 1/2 it is
 * `LayerBarrier.barrier`.
 */
export interface BarrierPrediction {
  /** Name of the group, or `all`. */
  readonly group: string;
  /**
   * Barrier predicted from slopes and curvatures of the loss at both ends, in nats (after Singh et al. 2024).
   */
  readonly predicted: number;
  /** Barrier measured on the same examples, in nats. */
  readonly measured: number;
  /** Points of the path, ascending in t, from 0 to 1. */
  readonly points: readonly PredictedPoint[];
  /** First and second derivative of the loss by t along the path from A to B, at each end. */
  readonly ends: readonly {
    readonly network: "a" | "b";
    readonly slope: number;
    readonly curvature: number;
  }[];
}

/** Rises of the loss in random directions that are as long as the path to the other network. */
export interface DirectionRobustness {
  /** Name of the group of tensors that is moved away from network A, while all other groups stay. */
  readonly group: string;
  /** Rise of the loss over network A at the end of each random direction, in nats. */
  readonly random: readonly number[];
  /** Rise of the loss over network A half-way along each random direction, in nats. */
  readonly randomHalfway: readonly number[];
  /** Rise of the loss on the path to B, half-way and at its end, in nats. */
  readonly toOther: { readonly halfway: number; readonly end: number };
}

/** Barriers of groups of parameters. */
export interface LayersResult extends PairOrigin {
  /** Kind of the result. */
  readonly kind: "layers";
  /** Groups in the order in which the network uses them, shallow to deep. */
  readonly groups: readonly LayerGroup[];
  /** Cut on which all groups move at once. */
  readonly whole: LayerCut;
  /** Barriers of each group by itself, in the order of `groups`. */
  readonly layers: readonly LayerBarrier[];
  /** Barriers of growing sets of groups; at the last step of each order all groups move. */
  readonly cumulative: readonly {
    readonly order: CumulativeOrder;
    readonly steps: readonly { readonly added: string; readonly cut: LayerCut }[];
  }[];
  /** Predicted barriers; present if they were requested. */
  readonly predictions?: {
    /** Barriers of every group, in the order of `groups`, then of `all`. */
    readonly barriers: readonly BarrierPrediction[];
    /** Spearman's rank correlation of predicted and measured barriers of single groups, in `[-1, 1]`. */
    readonly rankCorrelation: number;
    /**
     * Interactions `d_g' H d_h` of all pairs of groups at each end, `[groups][groups]`, in nats; their sum is
     * the curvature of `all`.
     */
    readonly interactions: readonly {
      readonly network: "a" | "b";
      readonly curvatures: readonly (readonly number[])[];
    }[];
    /** Number of examples of prediction and measurement: the first of the data. */
    readonly examples: number;
  };
  /** Rises in random directions; present if they were requested. */
  readonly robustness?: readonly DirectionRobustness[];
  /** Seed of random orders and directions. */
  readonly seed: number;
}

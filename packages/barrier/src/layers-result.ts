import type { StatisticsPolicy } from "@isthmus/statistics";
import type { BarrierPoint, BarrierValues } from "./barrier-result.ts";

/** Parameters that are interpolated together. */
export interface LayerGroup {
  readonly name: string;
  /** Names of the tensors. */
  readonly tensors: readonly string[];
  readonly elements: number;
  /** How far A and B are apart in these tensors: the norm of their difference. */
  readonly euclideanDistance: number;
  /** Cosine of the angle between A and B in these tensors, in `[-1, 1]`; 0 where one of them is 0 everywhere. */
  readonly cosineSimilarity: number;
}

/** A curve on which some groups go from one network to the other while the others stay. */
export interface LayerCut {
  /** Names of the groups that move. */
  readonly groups: readonly string[];
  /** The network whose other groups stay. */
  readonly fixed: "a" | "b";
  /** Ascending in t, from 0 (all of them as in `fixed`) to 1 (as in the other network). */
  readonly points: readonly BarrierPoint[];
  /** Against the ends of this curve. */
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
  /** `L(1/2) - [L(A) + L(B)] / 2`, against the whole networks (Adilova et al. 2024). */
  readonly wholeEndpoints: { readonly loss: number; readonly error: number };
}

/** Orders in which groups are added up. */
export const CUMULATIVE_ORDERS = ["shallow-to-deep", "deep-to-shallow", "random", "middle-first"] as const;

/** Order in which groups are added up. */
export type CumulativeOrder = (typeof CUMULATIVE_ORDERS)[number];

/** What is said of one group by itself. */
export interface LayerBarrier {
  readonly group: string;
  /** With the other groups as in A. */
  readonly a: LayerCut;
  /** With the other groups as in B. */
  readonly b: LayerCut;
  /** What averaging this group alone costs: the mean of `wholeEndpoints` of both cuts. */
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
 * A barrier as the ends predict it to second order, beside the measured one.
 *
 * The barrier of a group `g` is the largest `(1 - t) L(A + t d_g) + t L(B - (1 - t) d_g) - [(1 - t) L(A) + t L(B)]` over t, `d_g` the
 * way from A to B in that group: of all groups the chord barrier, and at t = 1/2 what `LayerBarrier.barrier` says.
 */
export interface BarrierPrediction {
  /** Name of the group, or `all` of them. */
  readonly group: string;
  /** From slopes and curvatures of the loss at both ends, in nats (after Singh et al. 2024). */
  readonly predicted: number;
  /** Measured on the same examples, in nats. */
  readonly measured: number;
  /** Ascending in t, from 0 to 1. */
  readonly points: readonly PredictedPoint[];
  /** First and second derivative of the loss by t along the way from A to B, at each end. */
  readonly ends: readonly {
    readonly network: "a" | "b";
    readonly slope: number;
    readonly curvature: number;
  }[];
}

/** What happens in random directions as long as the way to the other network. */
export interface DirectionRobustness {
  readonly group: string;
  /** Rise of the loss over network A at the end of each random direction, in nats. */
  readonly random: readonly number[];
  /** The same half-way. */
  readonly randomHalfway: readonly number[];
  /** Rise of the loss on the way to B, half-way and at its end, in nats. */
  readonly toOther: { readonly halfway: number; readonly end: number };
}

/** Barriers of groups of parameters. */
export interface LayersResult {
  readonly kind: "layers";
  /** In the order the network uses them, shallow to deep. */
  readonly groups: readonly LayerGroup[];
  /** All groups at once. */
  readonly whole: LayerCut;
  /** Each group by itself, in the order of `groups`. */
  readonly layers: readonly LayerBarrier[];
  /** Growing sets of groups; the last step of each order is the whole. */
  readonly cumulative: readonly {
    readonly order: CumulativeOrder;
    readonly steps: readonly { readonly added: string; readonly cut: LayerCut }[];
  }[];
  /** Present where it was asked for. */
  readonly predictions?: {
    /** Of every group, in the order of `groups`, then of `all`. */
    readonly barriers: readonly BarrierPrediction[];
    /** Spearman's rank correlation of predicted and measured barriers of single groups, in `[-1, 1]`. */
    readonly rankCorrelation: number;
    /** `d_g' H d_h` of all pairs of groups at each end, `[groups][groups]`, in nats; their sum is the curvature of `all`. */
    readonly interactions: readonly {
      readonly network: "a" | "b";
      readonly curvatures: readonly (readonly number[])[];
    }[];
    /** Examples it was predicted and measured on: the first of the data. */
    readonly examples: number;
  };
  /** Present where it was asked for. */
  readonly robustness?: readonly DirectionRobustness[];
  readonly statistics: StatisticsPolicy;
  /** Name of the examples that statistics were measured on; absent where they were kept. */
  readonly statisticsData?: string;
  /** Number of these examples. */
  readonly statisticsExamples?: number;
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  readonly seed: number;
  readonly engine: string;
}

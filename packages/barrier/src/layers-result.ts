import type { BarrierPoint, BarrierValues, StatisticsPolicy } from "./barrier-result.ts";

/** Parameters that are interpolated together. */
export interface LayerGroup {
  readonly name: string;
  /** Names of the tensors. */
  readonly tensors: readonly string[];
  readonly elements: number;
  /** How far A and B are apart in these tensors. */
  readonly distance: { readonly euclidean: number; readonly cosine: number };
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

/** A barrier as the ends predict it to second order, beside the measured one. */
export interface BarrierPrediction {
  /** Name of the group, or `all` of them. */
  readonly group: string;
  /** Chord barrier predicted from slopes and curvatures of the loss at both ends, in nats (Singh et al. 2024). */
  readonly predicted: number;
  /** Chord barrier measured on the same examples, in nats. */
  readonly measured: number;
  /** First and second derivative of the loss along the way, at each end. */
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
  /** Each group by itself, with the others as in A and as in B. */
  readonly layers: readonly { readonly group: string; readonly a: LayerCut; readonly b: LayerCut }[];
  /** Growing sets of groups; the last step of each order is the whole. */
  readonly cumulative: readonly {
    readonly order: CumulativeOrder;
    readonly steps: readonly { readonly added: string; readonly cut: LayerCut }[];
  }[];
  /** Present where it was asked for. */
  readonly predictions?: {
    readonly barriers: readonly BarrierPrediction[];
    /** Spearman's rank correlation of predicted and measured barriers of single groups, in `[-1, 1]`. */
    readonly rankCorrelation: number;
    readonly examples: number;
  };
  /** Present where it was asked for. */
  readonly robustness?: readonly DirectionRobustness[];
  readonly statistics: StatisticsPolicy;
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  readonly seed: number;
  readonly engine: string;
}

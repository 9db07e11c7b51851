import type { Predictor } from "@isthmus/ensemble";
import type { LossFields } from "@isthmus/graph";

/** Chord barriers between two networks. */
export interface PairBarrier {
  readonly a: string;
  readonly b: string;
  /** Barrier of the loss, in nats. */
  readonly loss: number;
  /** Barrier of the error, in `[0, 1]`. */
  readonly error: number;
}

/** Barriers of one kind of pairs. */
export interface PairGroup {
  readonly pairs: readonly PairBarrier[];
  /** Mean of the loss barriers, in nats; NaN, in JSON null, if there are no pairs. */
  readonly mean: number;
  /** Sample standard deviation of the loss barriers; NaN, in JSON null, for fewer than two pairs. */
  readonly std: number;
}

/** Measurements of a star network: how well it is connected, and how well it predicts. */
export interface StarResult extends LossFields {
  readonly kind: "star";
  readonly anchors: readonly string[];
  readonly heldOut: readonly string[];
  /**
   * Barriers by kind of pairs, measured on `data`, at `points` places of each pair, whose networks were
   * aligned first if `aligned`.
   */
  readonly barriers: {
    readonly regularRegular: PairGroup;
    readonly starHeldOut: PairGroup;
    readonly starAnchor: PairGroup;
  };
  readonly points: number;
  readonly aligned: boolean;
  readonly data: string;
  readonly examples: number;
  /** Quality of predictions; present if it was requested. */
  readonly predictions?: {
    readonly predictors: readonly Predictor[];
    readonly data: string;
    readonly examples: number;
    readonly outOfDistribution?: { readonly data: string; readonly examples: number };
  };
  readonly seed: number;
  readonly engine: string;
}

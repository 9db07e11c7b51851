import type { Predictor } from "@isthmus/ensemble";
import type { LossFields } from "@isthmus/graph";

/** Chord barriers between two networks. */
export interface PairBarrier {
  /** Source of the first network: its file or folder, or a description. */
  readonly a: string;
  /** Source of the second network, which was aligned to the first. */
  readonly b: string;
  /** Barrier of the loss, in nats. */
  readonly loss: number;
  /** Barrier of the error, in `[0, 1]`. */
  readonly error: number;
}

/** Barriers of one kind of pairs. */
export interface PairGroup {
  /** Barriers of each pair of this kind. */
  readonly pairs: readonly PairBarrier[];
  /** Mean of the loss barriers, in nats; NaN, in JSON null, if there are no pairs. */
  readonly mean: number;
  /** Sample standard deviation of the loss barriers; NaN, in JSON null, for fewer than two pairs. */
  readonly std: number;
}

/** Measurements of a star network: how well it is connected, and how well it predicts. */
export interface StarResult extends LossFields {
  /** Kind of the result. */
  readonly kind: "star";
  /** Sources of the anchors: files or folders, or descriptions. */
  readonly anchors: readonly string[];
  /** Sources of the networks that the search did not use. */
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
  /** Number of evenly spaced places between each pair, both ends included. */
  readonly points: number;
  /** Whether the second network of each pair was aligned to the first. */
  readonly aligned: boolean;
  /** Name of the examples on which barriers were measured. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
  /** Quality of predictions; present if it was requested. */
  readonly predictions?: {
    readonly predictors: readonly Predictor[];
    readonly data: string;
    readonly examples: number;
    readonly outOfDistribution?: { readonly data: string; readonly examples: number };
  };
  /** Seed of the draw of regular pairs, and of alignments. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}

/** Kinds of pairs and their names, in the order of figures and tables. */
export const PAIR_GROUPS: readonly { readonly key: keyof StarResult["barriers"]; readonly label: string }[] =
  [
    { key: "regularRegular", label: "regular to regular" },
    { key: "starHeldOut", label: "star to held out" },
    { key: "starAnchor", label: "star to anchor" },
  ];

/** Chord barriers between two networks. */
export interface PairBarrier {
  readonly a: string;
  readonly b: string;
  /** In nats. */
  readonly loss: number;
  /** In `[0, 1]`. */
  readonly error: number;
}

/** Barriers of one sort of pairs. */
export interface PairGroup {
  readonly pairs: readonly PairBarrier[];
  /** Of the loss barriers, in nats; NaN, in JSON null, where there are no pairs. */
  readonly mean: number;
  /** Sample standard deviation of the loss barriers; NaN, in JSON null, for fewer than two pairs. */
  readonly std: number;
}

/** How good averaged predictions are, and how well they know it. */
export interface PredictionQuality {
  /** In `[0, 1]`. */
  readonly accuracy: number;
  /** Mean negative log likelihood, in nats. */
  readonly nll: number;
  /** Expected calibration error in 15 bins of equal width, in `[0, 1]`. */
  readonly ece: number;
  /** Mean squared distance of the probabilities from the label, in `[0, 2]`. */
  readonly brier: number;
  /** Area under the curve of telling misclassified examples by their largest probability, in `[0, 1]`; null where all are right, or wrong. */
  readonly aurocMisclassification: number | null;
  /** The same of telling examples of other data; present where there were such. */
  readonly aurocOutOfDistribution?: number;
}

/** Networks whose predicted probabilities are averaged. */
export interface Predictor extends PredictionQuality {
  /** For example `star`, `rays of the star`, `deep ensemble`. */
  readonly name: string;
  /** Networks averaged. */
  readonly members: number;
}

/** A star network and how it is connected. */
export interface StarResult {
  readonly kind: "star";
  readonly anchors: readonly string[];
  readonly heldOut: readonly string[];
  /** Measured on `data`, with `points` places a pair, aligned first where `aligned`. */
  readonly barriers: {
    readonly regularRegular: PairGroup;
    readonly starHeldOut: PairGroup;
    readonly starAnchor: PairGroup;
  };
  readonly points: number;
  readonly aligned: boolean;
  readonly data: string;
  readonly examples: number;
  /** Present where predictions were asked for. */
  readonly predictions?: {
    readonly predictors: readonly Predictor[];
    readonly data: string;
    readonly examples: number;
    readonly outOfDistribution?: { readonly data: string; readonly examples: number };
  };
  readonly seed: number;
  readonly engine: string;
}

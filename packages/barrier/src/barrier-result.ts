import type { PairOrigin } from "./pair-origin.ts";

/** Loss and error of the network at one place of a path. */
export interface BarrierPoint {
  /** Place on the path, in `[0, 1]`. */
  readonly t: number;
  /** Mean loss over the examples, in the unit of the result's loss (nats for cross-entropy). */
  readonly loss: number;
  /**
   * Share of the examples that are classified wrongly, in `[0, 1]`; NaN (null in JSON) if
   * the loss has no errors.
   */
  readonly error: number;
  /** Perplexity: `exp` of the mean cross-entropy of all tokens, each counting the same; only for texts. */
  readonly perplexity?: number;
}

/** Barriers of one curve L(t) by every definition in use. */
export interface BarrierValues {
  /**
   * Barrier above the chord: `max over t of L(t) - [(1 - t) L(0) + t L(1)]` (Frankle et al. 2020; Entezari et
   * al. 2022).
   */
  readonly chord: number;
  /**
   * Barrier above the mean of both ends: `max over t of L(t) - (L(0) + L(1)) / 2` (Ainsworth et al. 2023).
   */
  readonly meanOfEndpoints: number;
  /** Barrier above the higher end: `max over t of L(t) - max(L(0), L(1))`. */
  readonly maxEndpoint: number;
  /** Rise at the midpoint above the mean of both ends: `L(1/2) - (L(0) + L(1)) / 2`. */
  readonly midpoint: number;
  /** Place at which the chord barrier is reached, in `[0, 1]`. */
  readonly at: number;
}

/** A bootstrap interval of the chord barrier over examples. */
export interface BarrierInterval {
  /** Lower end of the interval: in nats for the loss, a share of examples for the error. */
  readonly low: number;
  /** Upper end of the interval, in the same unit. */
  readonly high: number;
}

/** Loss at one place of a path with the temperature that was fitted there. */
export interface TemperedPoint {
  /** Place on the path, in `[0, 1]`. */
  readonly t: number;
  /** Number by which the logits are divided, above 0: more than 1 if the network is overconfident. */
  readonly temperature: number;
  /** Mean loss over the examples, in the unit of the result's loss (nats for cross-entropy). */
  readonly loss: number;
  /** Perplexity: `exp` of the mean cross-entropy of all tokens, each counting the same; only for texts. */
  readonly perplexity?: number;
}

/**
 * Curve of the loss with one softmax temperature fitted at every place, both ends included; errors are the
 * same with and without temperature.
 *
 * The barrier that remains is not due to the confidence of the networks between the ends.
 */
export interface TemperedCurve {
  /** Losses at the same places as the curve without temperature. */
  readonly points: readonly TemperedPoint[];
  /** Barriers of the loss. */
  readonly barrier: BarrierValues;
  /**
   * Interval of the chord barrier of the loss, from the same resamples as for the curve without temperature;
   * temperatures are not fitted again for each resample.
   */
  readonly interval?: BarrierInterval;
  /** Name of the examples to which temperatures were fitted. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
}

/** Barrier curve, and the barriers computed from it. */
export interface BarrierResult extends PairOrigin {
  /** Kind of the result. */
  readonly kind: "barrier";
  /** Points of the path, ascending in t, from 0 to 1. */
  readonly points: readonly BarrierPoint[];
  /** Barriers of the loss, in nats, and of the error, in shares of examples, by several definitions. */
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
  /** Intervals of the chord barriers; missing if no bootstrap was requested. */
  readonly interval?: {
    /** Coverage of the intervals, for example 0.95. */
    readonly level: number;
    readonly resamples: number;
    readonly seed: number;
    readonly loss: BarrierInterval;
    readonly error: BarrierInterval;
  };
  /** Curve with temperatures; missing if these were not requested. */
  readonly tempered?: TemperedCurve;
  /** Path between the networks: the straight line, or the arc of each tensor. */
  readonly path: "linear" | "spherical";
}

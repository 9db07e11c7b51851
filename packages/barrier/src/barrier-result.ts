import type { LossFields } from "@isthmus/graph";
import type { StatisticsPolicy } from "@isthmus/statistics";

/** Loss and error of the network at one place of a path. */
export interface BarrierPoint {
  /** Place on the path, in `[0, 1]`. */
  readonly t: number;
  /** Mean cross-entropy over the examples, in nats. */
  readonly loss: number;
  /** Share of the examples that are classified wrongly, in `[0, 1]`. */
  readonly error: number;
  /** `exp` of the mean cross-entropy of all tokens, each counting the same; of texts only. */
  readonly perplexity?: number;
}

/** The definitions in use, from one curve L(t). */
export interface BarrierValues {
  /** `max over t of L(t) - [(1 - t) L(0) + t L(1)]` (Frankle et al. 2020; Entezari et al. 2022). */
  readonly chord: number;
  /** `max over t of L(t) - (L(0) + L(1)) / 2` (Ainsworth et al. 2023). */
  readonly meanOfEndpoints: number;
  /** `max over t of L(t) - max(L(0), L(1))`. */
  readonly maxEndpoint: number;
  /** `L(1/2) - (L(0) + L(1)) / 2`. */
  readonly midpoint: number;
  /** Where the chord barrier is reached, in `[0, 1]`. */
  readonly at: number;
}

/** A bootstrap interval of the chord barrier over examples. */
export interface BarrierInterval {
  readonly low: number;
  readonly high: number;
}

/** Loss at one place of a path with the temperature that was fitted there. */
export interface TemperedPoint {
  /** Place on the path, in `[0, 1]`. */
  readonly t: number;
  /** What the logits are divided by, above 0: more than 1 where the network is surer than it is right. */
  readonly temperature: number;
  /** Mean cross-entropy over the examples, in nats. */
  readonly loss: number;
  /** `exp` of the mean cross-entropy of all tokens, each counting the same; of texts only. */
  readonly perplexity?: number;
}

/**
 * The curve of the loss with one softmax temperature fitted at every place, both ends included; errors are
 * the same with and without.
 *
 * What is left of a barrier then is no matter of how sure the networks between are.
 */
export interface TemperedCurve {
  /** At the same places as the curve without. */
  readonly points: readonly TemperedPoint[];
  /** Of the loss. */
  readonly barrier: BarrierValues;
  /**
   * Interval of the chord barrier of the loss, from the resamples of the curve without; temperatures are not
   * fitted again for each.
   */
  readonly interval?: BarrierInterval;
  /** Name of the examples that temperatures were fitted to. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
}

/** A barrier curve and what it says. */
export interface BarrierResult extends LossFields {
  readonly kind: "barrier";
  /** Ascending in t, from 0 to 1. */
  readonly points: readonly BarrierPoint[];
  readonly barrier: { readonly loss: BarrierValues; readonly error: BarrierValues };
  /** Intervals of the chord barriers; missing if no bootstrap was asked for. */
  readonly interval?: {
    /** Coverage, for example 0.95. */
    readonly level: number;
    readonly resamples: number;
    readonly seed: number;
    readonly loss: BarrierInterval;
    readonly error: BarrierInterval;
  };
  /** The same curve with temperatures; missing if none were asked for. */
  readonly tempered?: TemperedCurve;
  readonly path: "linear" | "spherical";
  readonly statistics: StatisticsPolicy;
  /** Name of the examples that statistics were measured on; absent where they were kept. */
  readonly statisticsData?: string;
  /** Number of these examples. */
  readonly statisticsExamples?: number;
  /** Examples that were evaluated at each point. */
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  /** Engine the networks ran on. */
  readonly engine: string;
}

import { at, createRandom } from "@isthmus/core";
import type { BarrierInterval } from "./barrier-result.ts";
import { chordBarrier } from "./barrier-values.ts";

/** Losses or errors of every example along a path. */
export interface ExampleCurve {
  /** Places, ascending from 0 to 1, `[points]`. */
  readonly t: readonly number[];
  /** Loss or error of each example at each place, `[points][examples]`. */
  readonly values: readonly ArrayLike<number>[];
}

/** Options of {@link bootstrapBarrier}. */
export interface BootstrapSettings {
  /** Number of resamples, at least 1. */
  readonly resamples: number;
  /** Coverage, in `(0, 1)`. */
  readonly level: number;
  /** Seed of the draws of examples. */
  readonly seed: number;
}

/**
 * Computes percentile intervals of the chord barriers of several curves over the same examples. Examples are
 * drawn with replacement, the same for all curves and all places, so that the noise that places have in
 * common cancels.
 *
 * The maximum over t is taken again in every resample (Efron and Tibshirani 1993, chapter 13), so the
 * interval also covers the choice of the place; a barrier of 0 therefore has an interval above 0.
 */
export function bootstrapBarrier(
  curves: readonly ExampleCurve[],
  { resamples, level, seed }: BootstrapSettings,
): BarrierInterval[] {
  const examples = at(at(curves, 0, "curve").values, 0, "place").length;
  const random = createRandom(seed, "bootstrap barrier");
  const barriers = curves.map(() => new Float64Array(resamples));
  const counts = new Float64Array(examples);
  for (let resample = 0; resample < resamples; resample++) {
    counts.fill(0);
    for (let draw = 0; draw < examples; draw++) {
      const example = random.integer(examples);
      counts[example] = (counts[example] as number) + 1;
    }
    for (const [index, { t, values }] of curves.entries()) {
      const means = values.map((exampleValues) => weightedMean(exampleValues, counts));
      at(barriers, index, "curve")[resample] = chordBarrier(t, means).chord;
    }
  }
  return barriers.map((resamples) => percentiles(resamples.sort(), level));
}

/** Computes the mean of values that are weighted by counts. */
function weightedMean(values: ArrayLike<number>, counts: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += (values[i] as number) * (counts[i] as number);
  return sum / counts.length;
}

function percentiles(sorted: Float64Array, level: number): BarrierInterval {
  // The number of resamples below the interval equals the number above it.
  const left = Math.floor(((1 - level) / 2) * sorted.length);
  return { low: at(sorted, left, "resample"), high: at(sorted, sorted.length - 1 - left, "resample") };
}

import { createRandom } from "@isthmus/core";
import type { BarrierInterval } from "./barrier-result.ts";
import { chordBarrier } from "./barrier-values.ts";

/** Per-example values along a path. */
export interface ExampleCurve {
  /** Places, ascending from 0 to 1, `[points]`. */
  readonly t: readonly number[];
  /** Loss or error of each example at each place, `[points][examples]`. */
  readonly values: readonly ArrayLike<number>[];
}

/** Settings of {@link bootstrapBarrier}. */
export interface BootstrapSettings {
  /** Number of resamples, at least 1. */
  readonly resamples: number;
  /** Coverage, in `(0, 1)`. */
  readonly level: number;
  readonly seed: number;
}

/**
 * Percentile intervals of the chord barriers of several curves over the same examples, which are drawn with
 * replacement, the same draws for all curves and all places, so that what examples have in common cancels.
 *
 * The maximum over t is taken anew in every resample (Efron and Tibshirani 1993, chapter 13), so the interval
 * covers the choice of the place too; a barrier of 0 therefore has an interval above 0.
 */
export function bootstrapBarrier(
  curves: readonly ExampleCurve[],
  { resamples, level, seed }: BootstrapSettings,
): BarrierInterval[] {
  const examples = curves[0]?.values[0]?.length ?? 0;
  const random = createRandom(seed, "bootstrap barrier");
  const barriers = curves.map(() => new Float64Array(resamples));
  const counts = new Float64Array(examples);
  for (let resample = 0; resample < resamples; resample++) {
    counts.fill(0);
    for (let draw = 0; draw < examples; draw++) {
      const example = random.integer(examples);
      counts[example] = (counts[example] ?? 0) + 1;
    }
    curves.forEach(({ t, values }, index) => {
      const means = values.map((own) => weightedMean(own, counts));
      (barriers[index] as Float64Array)[resample] = chordBarrier(t, means).chord;
    });
  }
  return barriers.map((own) => percentiles(own.sort(), level));
}

function weightedMean(values: ArrayLike<number>, counts: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += (values[i] ?? 0) * (counts[i] ?? 0);
  return sum / counts.length;
}

function percentiles(sorted: Float64Array, level: number): BarrierInterval {
  // As many resamples are left out below as above.
  const left = Math.floor(((1 - level) / 2) * sorted.length);
  return { low: sorted[left] ?? Number.NaN, high: sorted[sorted.length - 1 - left] ?? Number.NaN };
}

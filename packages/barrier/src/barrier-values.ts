import type { BarrierValues } from "./barrier-result.ts";

/**
 * Computes every definition of the barrier from one curve.
 *
 * The chord barrier is at least 0, since the chord meets the curve at its ends.
 * @param t - places, ascending from 0 to 1, `[points]`
 * @param values - loss or error at each place, `[points]`
 */
export function barrierValues(t: readonly number[], values: readonly number[]): BarrierValues {
  const first = values[0] ?? Number.NaN;
  const last = values.at(-1) ?? Number.NaN;
  const mean = (first + last) / 2;
  const highest = values.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
  const { chord, at } = chordBarrier(t, values);
  return {
    chord,
    meanOfEndpoints: highest - mean,
    maxEndpoint: highest - Math.max(first, last),
    midpoint: valueAtHalf(t, values) - mean,
    at,
  };
}

/** How far a curve rises above the chord between its ends, and where. */
export function chordBarrier(
  t: readonly number[],
  values: readonly number[],
): { readonly chord: number; readonly at: number } {
  const first = values[0] ?? Number.NaN;
  const last = values.at(-1) ?? Number.NaN;
  let chord = 0;
  let at = 0;
  t.forEach((place, index) => {
    const rise = (values[index] ?? Number.NaN) - chordAt(place, first, last);
    // A NaN anywhere makes the barrier NaN, rather than passing for no barrier.
    if (rise > chord || Number.isNaN(rise)) {
      chord = rise;
      at = place;
    }
  });
  return { chord, at };
}

/** `(1 - t) first + t last`, from the nearer end: exact at both ends, and everywhere if they are equal. */
function chordAt(t: number, first: number, last: number): number {
  return t < 0.5 ? first + t * (last - first) : last - (1 - t) * (last - first);
}

/** The curve at one half, between its neighbours where the grid has no point there. */
function valueAtHalf(t: readonly number[], values: readonly number[]): number {
  const right = t.findIndex((place) => place >= 0.5);
  const high = t[right] ?? 1;
  const low = t[right - 1] ?? 0;
  const at = high === low ? 1 : (0.5 - low) / (high - low);
  return at === 1
    ? (values[right] ?? Number.NaN)
    : (1 - at) * (values[right - 1] ?? Number.NaN) + at * (values[right] ?? Number.NaN);
}

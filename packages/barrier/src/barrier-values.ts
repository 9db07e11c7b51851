import { at } from "@isthmus/core";
import type { BarrierValues } from "./barrier-result.ts";

/**
 * Computes every definition of the barrier from one curve.
 *
 * The chord barrier is at least 0, since the chord meets the curve at its ends.
 * @param t - places, ascending from 0 to 1, `[points]`
 * @param values - loss or error at each place, `[points]`
 */
export function barrierValues(t: readonly number[], values: readonly number[]): BarrierValues {
  const [first, last] = endsOf(values);
  const mean = (first + last) / 2;
  const highest = values.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
  const chordRise = chordBarrier(t, values);
  return {
    chord: chordRise.chord,
    meanOfEndpoints: highest - mean,
    maxEndpoint: highest - Math.max(first, last),
    midpoint: valueAtHalf(t, values) - mean,
    at: chordRise.at,
  };
}

/** Computes how far a curve rises above the chord between its ends, and at which place. */
export function chordBarrier(
  t: readonly number[],
  values: readonly number[],
): { readonly chord: number; readonly at: number } {
  const [first, last] = endsOf(values);
  let chord = 0;
  let highestPlace = 0;
  for (const [index, place] of t.entries()) {
    const rise = at(values, index, "value") - chordAt(place, first, last);
    // A NaN anywhere makes the barrier NaN, instead of counting as no barrier.
    if (rise > chord || Number.isNaN(rise)) {
      chord = rise;
      highestPlace = place;
    }
  }
  return { chord, at: highestPlace };
}

function endsOf(values: readonly number[]): [first: number, last: number] {
  return [at(values, 0, "value"), at(values, values.length - 1, "value")];
}

/**
 * Computes `(1 - t) first + t last` from the nearer end, so that the result is exact at both ends, and
 * everywhere if both are equal.
 */
function chordAt(t: number, first: number, last: number): number {
  return t < 0.5 ? first + t * (last - first) : last - (1 - t) * (last - first);
}

/** Computes the curve at one half, interpolating between the neighbours if the grid has no place there. */
function valueAtHalf(t: readonly number[], values: readonly number[]): number {
  const index = t.findIndex((place) => place >= 0.5);
  const [low, high] = [at(t, index - 1, "place"), at(t, index, "place")];
  const share = (0.5 - low) / (high - low);
  const upper = at(values, index, "value");
  return share === 1 ? upper : (1 - share) * at(values, index - 1, "value") + share * upper;
}

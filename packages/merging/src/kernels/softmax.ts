import { allocateNumbers } from "./block-memory.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import { LANES, type Numbers, sumLanes } from "./task-vectors.ts";

// Exponentials and logarithms are computed by series, in f64 up to a few units in the last place, so that
// SIMD gives the same bits.

/** Term that is added to probabilities, so that a ratio of two is never infinite. */
const LEAST_PROBABILITY = 1e-8;

/**
 * Computes the divergence of Kullback and Leibler between the softmax of two rows, in f64:
 * `sum of (p + e) log((p + e) / (q + e))`, `e = 1e-8`. Rounding cannot make it negative.
 */
export function softmaxDivergence(row: Numbers, reference: Numbers): number {
  const left = exponentialsOf(row);
  const right = exponentialsOf(reference);
  const sums = allocateNumbers(true, LANES);
  const simd = simdFor(left.exponentials, right.exponentials, sums);
  const count = simd === undefined ? 0 : wholeGroups(row.length);
  const [from, to] = [left.exponentials, right.exponentials];
  simd?.divergences(from.byteOffset, left.sum, to.byteOffset, right.sum, sums.byteOffset, count);
  for (let i = count; i < row.length; i++) {
    const p = from[i]! / left.sum + LEAST_PROBABILITY;
    const q = to[i]! / right.sum + LEAST_PROBABILITY;
    sums[i & 7] = sums[i & 7]! + p * logarithm(p / q);
  }
  return Math.max(0, sumLanes(sums));
}

/**
 * Computes the exponentials of the differences between each number and the largest number of a row, and their
 * sum.
 */
function exponentialsOf(row: Numbers): { readonly exponentials: Numbers; readonly sum: number } {
  const exponentials = allocateNumbers(true, row.length);
  const sums = allocateNumbers(true, LANES);
  const simd = row instanceof Float32Array ? simdFor(row, exponentials, sums) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(row.length);
  let largest = simd?.largestOf(row.byteOffset, count) ?? Number.NEGATIVE_INFINITY;
  for (let i = count; i < row.length; i++) if (row[i]! > largest) largest = row[i]!;
  simd?.exponentials(row.byteOffset, largest, exponentials.byteOffset, sums.byteOffset, count);
  for (let i = count; i < row.length; i++) {
    const value = exponential(row[i]! - largest);
    exponentials[i] = value;
    sums[i & 7] = sums[i & 7]! + value;
  }
  return { exponentials, sum: sumLanes(sums) };
}

/** Memory for reading the two halves of a number, the lower half first. */
const number = new Float64Array(1);
const halves = new Int32Array(number.buffer);

/** Number that rounds another number to a whole one, if it is added and then subtracted. */
const TO_WHOLE = 1.5 * 2 ** 52;

/** Two parts of ln 2. The first has so few digits that its products with exponents are exact. */
const [LN2_HIGH, LN2_LOW] = [0.6931471803691238, 1.9082149292705877e-10];

/** Coefficients 1 / k! of the exponential series, from k = 13 down to 0. */
const EXPONENTIAL_SERIES = Float64Array.of(
  ...[1 / 6227020800, 1 / 479001600, 1 / 39916800, 1 / 3628800, 1 / 362880, 1 / 40320, 1 / 5040],
  ...[1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1, 1],
);

/** Coefficients 2 / (2 k + 1) of the series of 2 atanh(s) / s in s^2, from k = 8 down to 0. */
const LOGARITHM_SERIES = Float64Array.of(...[2 / 17, 2 / 15, 2 / 13, 2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3, 2]);

/** Computes `exp(x)` for x <= 0: `2^n exp(r)` with `|r| <= ln(2) / 2`. */
export function exponential(x: number): number {
  const capped = Math.max(x, -700);
  const n = capped * Math.LOG2E + TO_WHOLE - TO_WHOLE;
  const r = capped - n * LN2_HIGH - n * LN2_LOW;
  let p = EXPONENTIAL_SERIES[0]!;
  for (let k = 1; k < EXPONENTIAL_SERIES.length; k++) p = p * r + EXPONENTIAL_SERIES[k]!;
  halves[0] = 0;
  halves[1] = (n + 1023) << 20;
  return p * number[0]!;
}

/** Upper half of the bits of the square root of 1/2. */
const ROOT_HALF = 0x3fe6a09e;

/**
 * Computes `log(x)` of a normal positive number: `k log(2) + 2 atanh((m - 1) / (m + 1))` with m between
 * `sqrt(1/2)` and `sqrt(2)`.
 */
export function logarithm(x: number): number {
  number[0] = x;
  const k = (halves[1]! - ROOT_HALF) >> 20;
  halves[1] = halves[1]! - (k << 20);
  const m = number[0]!;
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let p = LOGARITHM_SERIES[0]!;
  for (let i = 1; i < LOGARITHM_SERIES.length; i++) p = p * z + LOGARITHM_SERIES[i]!;
  return k * Math.LN2 + p * s;
}

import type { TensorData } from "../dtype.ts";

/** Limit up to which f64 represents every integer. */
const BIG_EXACT = 2n ** 53n;

/**
 * Converts 64-bit integers to f64.
 * @param toOdd - whether inexact results are rounded to odd, so that rounding them once more to f32 or to a
 *   narrower float rounds as if once; else they are rounded to nearest even
 */
export function bigsToNumbers(
  source: BigInt64Array | BigUint64Array,
  out: Float64Array,
  toOdd: boolean,
): void {
  for (let i = 0; i < out.length; i++) out[i] = bigToNumber(source[i]!, toOdd);
}

function bigToNumber(value: bigint, toOdd: boolean): number {
  const magnitude = value < 0n ? -value : value;
  if (!toOdd || magnitude <= BIG_EXACT) return Number(value);
  const sticky = (magnitude & 2047n) === 0n ? 0n : 1n;
  const odd = Number((magnitude >> 11n) | sticky) * 2048;
  return value < 0n ? -odd : odd;
}

/**
 * Rounds numbers to integers, to nearest even. Numbers beyond the range become the nearest end of it, NaN
 * becomes 0.
 * @param range - smallest and largest value of the integer type of `out`
 */
export function roundToIntegers(
  numbers: Float64Array,
  out: TensorData,
  [low, high]: readonly [bigint, bigint],
): void {
  const [min, max] = [Number(low), Number(high)];
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < numbers.length; i++) {
      const x = roundHalfEven(numbers[i]!);
      out[i] = x <= min ? low : x >= max ? high : BigInt(x);
    }
  } else {
    for (let i = 0; i < numbers.length; i++)
      out[i] = Math.min(Math.max(roundHalfEven(numbers[i]!), min), max);
  }
}

function roundHalfEven(x: number): number {
  if (Number.isNaN(x)) return 0;
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

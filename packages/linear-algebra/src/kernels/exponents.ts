import { OutOfRangeError } from "@isthmus/core";
import type { MatrixData } from "../matrix.ts";
import { largestSize } from "./copies.ts";

/** Largest exponent by which numbers are multiplied in one step, as higher powers of two are not finite. */
const MOST = 1000;

/**
 * Returns the exponent of the largest absolute value, `2^e <= size < 2^(e + 1)`; 0 if all numbers are zero.
 *
 * Factorizations square elements, which would vanish or overflow at other scales than 1.
 * @param attempt - what the numbers are for, as in "compute singular values"
 * @throws OutOfRangeError if a number is infinite or no number
 */
export function largestExponent(data: MatrixData, attempt: string): number {
  const size = largestSize(data);
  if (!Number.isFinite(size)) {
    const place = data.findIndex((x) => !Number.isFinite(x));
    throw new OutOfRangeError(
      `Cannot ${attempt} as all elements must be finite: element ${place} is ${data[place]}; look for what made it so`,
    );
  }
  return size === 0 ? 0 : Math.floor(Math.log2(size));
}

/** Multiplies numbers by a power of two, in place. */
export function multiplyByPower(data: MatrixData, exponent: number): void {
  for (let rest = exponent; rest !== 0; ) {
    const step = Math.max(-MOST, Math.min(MOST, rest));
    const factor = 2 ** step;
    for (let i = 0; i < data.length; i++) data[i] = factor * data[i]!;
    rest -= step;
  }
}

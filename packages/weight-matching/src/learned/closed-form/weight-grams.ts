import { at, entry } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import { gatherRowsInto, type Occurrence } from "@isthmus/symmetry";
import type { Doubles, StreamFrame } from "../stream-frame.ts";

/**
 * Computes the products of the units of two networks, space by space: `[size, size]` for each, the sum over
 * all weights that the space lies in of `A_i B_j`.
 *
 * @param uses - filter of the occurrences that count; all if left out
 */
export function weightGrams(
  frame: StreamFrame,
  [a, b]: readonly [Doubles, Doubles],
  uses: (occurrence: Occurrence) => boolean = () => true,
): Float64Array[] {
  const { spaces } = frame.symmetries.mixing;
  const grams = spaces.map(({ size }) => new Float64Array(size * size));
  for (const [name, occurrences] of frame.occurrences) {
    for (const occurrence of occurrences) {
      if (!uses(occurrence)) continue;
      const left = rowsOf(entry(a, name, "weight"), occurrence);
      const right = rowsOf(entry(b, name, "weight"), occurrence);
      addInPlace(at(grams, occurrence.space, "space"), multiply(left, right, { transposeRight: true }).data);
    }
  }
  return grams;
}

/** Copies the rows of an occurrence out of a weight, `[size, others]`, of the weight's element type. */
export function rowsOf(values: Float32Array | Float64Array, occurrence: Occurrence): Matrix {
  const { bases, offsets } = occurrence;
  const count = bases.length * offsets.length;
  const rows = values instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
  return createMatrix(bases.length, offsets.length, gatherRowsInto(values, occurrence, rows));
}

/** Adds numbers to numbers. */
export function addInPlace(sum: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number);
}

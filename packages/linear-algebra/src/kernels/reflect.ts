import { innerOfRows } from "./symmetric-rows.ts";

/** A reflection `I - scale v v^T`, and what it maps a line to. */
export interface Reflection {
  /** Factor of the reflection; 0 if there is nothing to clear. */
  readonly scale: number;
  /** First element of the mapped line, whose other elements are zero. */
  readonly result: number;
}

/** Sum of squares below which elements count as zero in a matrix whose largest element is about 1. */
const NOTHING = 1e-280;

/**
 * Makes the reflection that maps a line, from an element on, to a multiple of its first element, and writes
 * its vector in the line's place; the element of the vector at `begin` is 1.
 */
export function reflectInPlace(line: Float64Array, begin: number): Reflection {
  const head = line[begin]!;
  const range = { begin: begin + 1, end: line.length };
  const rest = innerOfRows(line, line, range);
  line[begin] = 1;
  if (rest < NOTHING) {
    line.fill(0, begin + 1);
    return { scale: 0, result: head };
  }
  const length = Math.sqrt(head ** 2 + rest);
  const result = head > 0 ? -length : length;
  const factor = 1 / (head - result);
  for (let j = range.begin; j < range.end; j++) line[j] = factor * line[j]!;
  return { scale: (result - head) / result, result };
}

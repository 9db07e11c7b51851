import { asFloat32, at, type Tensor } from "@isthmus/core";
import { compareElements, compareRows } from "../kernels/compare-rows.ts";
import type { Movement } from "./predict-value.ts";

/** Number of pairs in a row from which starting the next row costs nothing beside comparing the pairs. */
const LONG_ROW = 128;

/**
 * Measures the largest difference between a tensor before and after a permutation, relative to the largest
 * finite magnitude: each value is compared with the value at its predicted place afterwards.
 *
 * @returns 0 if all are equal, infinity if a value is not finite on one side only
 */
export function compareMoved(before: Tensor, after: Tensor, movement: Movement): number {
  if (before.data.length !== after.data.length) return Number.POSITIVE_INFINITY;
  const [a, b] = [toFloats(before), toFloats(after)];
  // Rows run along the groups of axes whose elements lie nearest to each other.
  const tables = movement.before
    .map((offsets, group) => ({ before: offsets, after: at(movement.after, group, "group") }))
    .sort((one, two) => stepOf(two.before) - stepOf(one.before));
  const outer = tables.slice();
  const inner = [];
  let length = 1;
  while (length < LONG_ROW) {
    const table = outer.pop();
    if (table === undefined) break;
    inner.unshift(table);
    length *= table.before.length;
  }
  return compareRows(a, b, {
    startsBefore: sumsOf(outer.map((table) => table.before)),
    startsAfter: sumsOf(outer.map((table) => table.after)),
    before: sumsOf(inner.map((table) => table.before)),
    after: sumsOf(inner.map((table) => table.after)),
  });
}

/** Distance of the first two offsets of a table. */
function stepOf(offsets: Int32Array): number {
  const [first = 0, second = 0] = offsets;
  return Math.abs(second - first);
}

/** Sums one offset of each table, for all choices of them, the last table's fastest. */
function sumsOf(tables: readonly Int32Array[]): Int32Array {
  let sums = new Int32Array(1);
  for (const table of tables) {
    const next = new Int32Array(sums.length * table.length);
    let index = 0;
    for (const sum of sums) for (const offset of table) next[index++] = sum + offset;
    sums = next;
  }
  return sums;
}

/** Compares the values of two tensors without regard to their places, as a permutation keeps all values. */
export function compareSorted(before: Tensor, after: Tensor): number {
  if (before.data.length !== after.data.length) return Number.POSITIVE_INFINITY;
  return compareElements(toFloats(before).slice().sort(), toFloats(after).slice().sort());
}

/** Compares two tensors place by place. */
export function compareInPlace(before: Tensor, after: Tensor): number {
  if (before.data.length !== after.data.length) return Number.POSITIVE_INFINITY;
  return compareElements(toFloats(before), toFloats(after));
}

function toFloats({ data, dtype }: Tensor): Float32Array {
  return asFloat32(data, dtype);
}

import { asFloat32, type Tensor } from "@isthmus/core";
import type { Movement } from "./predict-value.ts";

/**
 * Measures the largest difference between a tensor before and after a permutation, relative to the largest
 * finite magnitude: each value is compared with the value at its predicted place afterwards.
 *
 * @returns 0 if all are equal, infinity if a value is not finite on one side only
 */
export function compareMoved(before: Tensor, after: Tensor, movement: Movement): number {
  if (before.data.length !== after.data.length) return Number.POSITIVE_INFINITY;
  const [a, b] = [toFloats(before), toFloats(after)];
  const inner = { before: movement.before.at(-1), after: movement.after.at(-1) };
  if (inner.before === undefined || inner.after === undefined) return relativeError(a, b);
  const difference = new Difference();
  const starts = { before: sumsOf(movement.before.slice(0, -1)), after: sumsOf(movement.after.slice(0, -1)) };
  const { length } = inner.before;
  for (let row = 0; row < starts.before.length; row++) {
    const [from, to] = [starts.before[row] as number, starts.after[row] as number];
    for (let i = 0; i < length; i++) {
      difference.add(
        a[from + (inner.before[i] as number)] as number,
        b[to + (inner.after[i] as number)] as number,
      );
    }
  }
  return difference.relative;
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
  return relativeError(toFloats(before).slice().sort(), toFloats(after).slice().sort());
}

/** Compares two tensors place by place. */
export function compareInPlace(before: Tensor, after: Tensor): number {
  if (before.data.length !== after.data.length) return Number.POSITIVE_INFINITY;
  return relativeError(toFloats(before), toFloats(after));
}

function toFloats({ data, dtype }: Tensor): Float32Array {
  return asFloat32(data, dtype);
}

function relativeError(a: Float32Array, b: Float32Array): number {
  const difference = new Difference();
  for (let i = 0; i < a.length; i++) difference.add(a[i] as number, b[i] as number);
  return difference.relative;
}

/** The largest difference of pairs of numbers, and the largest finite magnitude of their first numbers. */
class Difference {
  #magnitude = 0;
  #apart = 0;

  /** Adds a pair of numbers. */
  add(x: number, y: number): void {
    const magnitude = Math.abs(x);
    if (magnitude > this.#magnitude && magnitude !== Number.POSITIVE_INFINITY) this.#magnitude = magnitude;
    const apart = Math.abs(x - y);
    if (apart <= this.#apart) return;
    // Equal infinities, such as in masks, do not differ. NaN counts as equal to NaN: the network computes it
    // both times.
    if (Object.is(x, y) || x === y) return;
    this.#apart = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
  }

  /**
   * Largest difference relative to the largest magnitude; infinity if a number is finite on one side only.
   */
  get relative(): number {
    if (this.#apart === 0) return 0;
    return this.#magnitude > 0 && Number.isFinite(this.#apart)
      ? this.#apart / this.#magnitude
      : Number.POSITIVE_INFINITY;
  }
}

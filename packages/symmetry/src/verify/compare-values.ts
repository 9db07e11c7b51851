import { asFloat32, gatherInto, type Tensor } from "@isthmus/core";
import type { Movement } from "./predict-value.ts";

/**
 * Measures the largest difference between a tensor before and after a permutation, relative to the largest
 * finite magnitude: each value is compared with the value at its predicted place afterwards.
 *
 * @returns 0 if all are equal, infinity if a value is not finite on one side only
 */
export function compareMoved(before: Tensor, after: Tensor, movement: Movement): number {
  if (before.data.length !== after.data.length) return Number.POSITIVE_INFINITY;
  return relativeError(arrange(before, movement.before), arrange(after, movement.after));
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

function arrange(tensor: Tensor, tables: readonly Int32Array[]): Float32Array {
  const values = toFloats(tensor);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  return new Float32Array(gatherInto(bits, tables, new Int32Array(values.length)).buffer);
}

function relativeError(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    const magnitude = Math.abs(x);
    if (magnitude > largest && magnitude !== Number.POSITIVE_INFINITY) largest = magnitude;
    // Equal infinities, such as in masks, do not differ. NaN counts as equal to NaN: the network computes it
    // both times.
    if (Object.is(x, y) || x === y) continue;
    const apart = Math.abs(x - y);
    if (!(apart <= difference)) difference = apart;
  }
  if (difference === 0) return 0;
  return largest > 0 && Number.isFinite(difference) ? difference / largest : Number.POSITIVE_INFINITY;
}

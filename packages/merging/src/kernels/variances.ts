import { allocatePatterns } from "./block-memory.ts";
import { simdFor, wholeGroups } from "./simd.ts";
import type { Numbers } from "./task-vectors.ts";

/** Makes a table of the addresses of arrays, in the memory in which SIMD loops compute. */
export function tableOf(arrays: readonly Numbers[]): Uint32Array {
  const table = allocatePatterns(arrays.length);
  for (let k = 0; k < arrays.length; k++) table[k] = arrays[k]!.byteOffset;
  return table;
}

/**
 * Computes the variance of each element over networks, with the number of networks as divisor. Sums are in
 * f64, so that elements that are equal in all networks have variance 0.
 */
export function variancesInto(networks: readonly [Numbers, ...Numbers[]], out: Float32Array): void {
  const table = tableOf(networks);
  const simd = networks[0] instanceof Float32Array ? simdFor(table, out, ...networks) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(out.length);
  simd?.variances(table.byteOffset, networks.length, out.byteOffset, count);
  for (let i = count; i < out.length; i++) {
    let mean = 0;
    for (let k = 0; k < networks.length; k++) mean += networks[k]![i]!;
    mean /= networks.length;
    let squares = 0;
    for (let k = 0; k < networks.length; k++) squares += (networks[k]![i]! - mean) ** 2;
    out[i] = squares / networks.length;
  }
}

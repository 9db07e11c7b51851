import { at } from "@isthmus/core";
import { allocateNumbers } from "../kernels/block-memory.ts";
import { type Numbers, patternsOf } from "../kernels/task-vectors.ts";
import { variancesInto } from "../kernels/variances.ts";

/** Computes the bit patterns, as f32, of the variance of each element over the networks. */
export function variancePatterns([first, ...others]: readonly Numbers[]): Int32Array {
  const deltas = [at([first], 0, "network") as Numbers, ...others] as const;
  const variances = allocateNumbers(false, deltas[0].length) as Float32Array;
  variancesInto(deltas, variances);
  return patternsOf(variances);
}

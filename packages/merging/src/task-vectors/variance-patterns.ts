import { at } from "@isthmus/core";
import { addScaledTo, addSquaredDistances, type Numbers } from "../kernels/task-vectors.ts";

/**
 * Computes the bit patterns, as f32, of the variance of each element over the networks (divided by their
 * number). Sums are in f64, so that elements that are equal in all networks have variance 0.
 */
export function variancePatterns(deltas: readonly Numbers[]): Int32Array {
  const { length } = at(deltas, 0, "network");
  const means = new Float64Array(length);
  for (const delta of deltas) addScaledTo(means, delta, 1);
  for (let i = 0; i < length; i++) means[i] = at(means, i) / deltas.length;
  const squares = new Float64Array(length);
  for (const delta of deltas) addSquaredDistances(squares, delta, means);
  const variances = new Float32Array(length);
  for (let i = 0; i < length; i++) variances[i] = at(squares, i) / deltas.length;
  return new Int32Array(variances.buffer);
}

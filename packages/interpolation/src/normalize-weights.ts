import { OutOfRangeError } from "@isthmus/core";

/**
 * The smallest number that a double holds with all its digits;
 * quotients by smaller numbers are inexact or infinite.
 */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * Divides the weights of an average by their sum, so that they sum to 1.
 * @param count - how many weights there must be
 * @throws OutOfRangeError if there are more or fewer weights, one is not finite, or they cannot be divided by
 * their sum: it is 0, or so large or small that a double does not hold it in full
 */
export function normalizeWeights(weights: readonly number[], count: number): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const fail = (rule: string) =>
    new OutOfRangeError(`Cannot average ${count} checkpoints as ${rule}: got ${weights.join(", ")}`);
  if (weights.length !== count || !weights.every(Number.isFinite) || sum === 0) {
    throw fail("weights must be one finite number for each, of a sum other than 0");
  }
  if (!Number.isFinite(sum) || Math.abs(sum) < SMALLEST_NORMAL) {
    throw fail("the sum of the weights must be from 2.3e-308 to 1.7e308 in size");
  }
  return weights.map((weight) => weight / sum);
}

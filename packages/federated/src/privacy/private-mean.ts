import { at, OutOfRangeError, UsageError } from "@isthmus/core";
import type { NeighborRelation } from "./accountant/mechanism.ts";
import { assertClip } from "./clip-weights.ts";

/** A mean of updates whose divisor is public, so that the mean does not reveal which clients took part. */
export interface PrivateMean {
  /**
   * Number of examples from which on a client counts in full, above 0; with fewer examples it counts by
   * `examples / examplesCap`.
   */
  readonly examplesCap: number;
  /** Sum of clients' weights, each in `(0, 1]`, that is expected of a round: fixed beforehand, above 0. */
  readonly expectedWeight: number;
}

/**
 * Computes the weights of displacements in a mean that is private once noise is added: the weights that clip
 * them, multiplied by `min(examples / examplesCap, 1)`, and divided by the expected weight of the round and
 * not by the actual one.
 * @param clipped - weights of `clipWeights`, `[clients]`
 * @param examples - numbers of examples, `[clients]`, at least 0
 * @returns weights, `[clients]`
 * @throws UsageError if lengths differ
 * @throws OutOfRangeError if a number is out of its range
 * @see McMahan et al., Learning differentially private recurrent language models, 2018, section 2 (estimator
 * f_f)
 */
export function privateWeights(
  clipped: readonly number[],
  examples: readonly number[],
  { examplesCap, expectedWeight }: PrivateMean,
): number[] {
  if (clipped.length !== examples.length) {
    throw new UsageError(
      `Cannot weigh updates as each must have a number of examples: ${clipped.length} have ${examples.length}`,
    );
  }
  assertAbove("examplesCap", examplesCap);
  assertAbove("expectedWeight", expectedWeight);
  return clipped.map((weight, i) => {
    const count = at(examples, i);
    if (!(count >= 0)) {
      throw new OutOfRangeError(
        `Cannot weigh update ${i} as its number of examples must be at least 0: it is ${count}`,
      );
    }
    return (weight * Math.min(count / examplesCap, 1)) / expectedWeight;
  });
}

/**
 * Computes the standard deviation of the noise on the mean of `privateWeights`:
 * `noiseMultiplier * clip / expectedWeight`, and twice that if neighbouring rounds differ by one replaced
 * client.
 * @throws OutOfRangeError if a number is out of its range
 */
export function centralDeviation(
  noiseMultiplier: number,
  clip: number,
  expectedWeight: number,
  relation: NeighborRelation = "add-or-remove-one",
): number {
  assertAbove("expectedWeight", expectedWeight);
  return (noiseMultiplier * sensitivity(clip, relation)) / expectedWeight;
}

/**
 * Computes the standard deviation of the noise that a client adds to its own clipped displacement, so that
 * the update is private by itself, no matter who reads it: `2 * noiseMultiplier * clip`, as any two updates
 * may differ by twice the bound.
 * @throws OutOfRangeError if a number is out of its range
 */
export function localDeviation(noiseMultiplier: number, clip: number): number {
  return noiseMultiplier * sensitivity(clip, "replace-one");
}

/**
 * Computes the standard deviation of the noise that each client adds to its own update in a secure sum, so
 * that the sum over at least `survivors` clients has the noise of `deviation` or more.
 * @param deviation - standard deviation of the noise that the sum must have
 * @param survivors - the threshold of the secure sum, less the number of clients that may disclose the noise
 * they added
 * @throws OutOfRangeError if `survivors` is not above 0
 */
export function sharedDeviation(deviation: number, survivors: number): number {
  assertAbove("survivors", survivors);
  return deviation / Math.sqrt(survivors);
}

/** Returns the largest change of the sum of updates that one client can cause. */
function sensitivity(clip: number, relation: NeighborRelation): number {
  assertClip("find the noise of a round", clip);
  return relation === "replace-one" ? 2 * clip : clip;
}

function assertAbove(name: string, value: number): void {
  if (value > 0 && value < Number.POSITIVE_INFINITY) return;
  throw new OutOfRangeError(
    `Cannot make a private mean as "${name}" must be a finite number above 0: it is ${value}`,
  );
}

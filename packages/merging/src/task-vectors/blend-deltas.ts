import { at } from "@isthmus/core";
import { allocateNumbers } from "../kernels/block-memory.ts";
import type { Numbers } from "../kernels/task-vectors.ts";
import { addAgreeing, addChanges, divideBy, divideByAtLeast, weighAndVote } from "../kernels/vectors.ts";
import type { DeltaBlock } from "./delta-blocks.ts";

/** How the signs of elements are elected: by the sum of the weighted differences, or by their number. */
export type ConsensusMethod = "sum" | "count";

/** How task vectors are put together. */
export interface Mixture {
  readonly weights: readonly number[];
  /** Factors of the networks' differences before they are weighted. */
  readonly factors: readonly number[];
  /** undefined adds up all differences, whatever their signs. */
  readonly consensus: ConsensusMethod | undefined;
  /** Whether sums are divided by the sum of the weights that went into them. */
  readonly normalize: boolean;
  /** Factor of the sum. */
  readonly lambda: number;
}

/** Sums of weights up to this are taken for 0. */
const LEAST_SUM = 1e-8;

/** The smallest number that f32 holds with all its digits. */
const LEAST_WEIGHT = 2 ** -126;

/** Share of the largest weight up to which a sum of weights of both signs is taken for 0. */
const LEAST_SHARE = 1e-6;

/**
 * Returns a function that writes the base with the weighted task vectors of a block added; it changes them.
 */
export function createMixer(mixture: Mixture): (block: DeltaBlock, out: Numbers) => void {
  const total = mixture.weights.reduce((sum, weight) => sum + weight, 0);
  const divisor = mixture.normalize && Math.abs(total) >= LEAST_SUM ? total : 1;
  return ({ base, deltas }, out) => {
    const sums =
      mixture.consensus === undefined ? addAll(deltas, mixture, base) : addElected(deltas, mixture, base);
    const factor = mixture.consensus === undefined ? mixture.lambda / divisor : mixture.lambda;
    addChanges(base, sums, out, factor);
  };
}

const allocateLike = (numbers: Numbers) => allocateNumbers(numbers instanceof Float64Array, numbers.length);

function addAll(deltas: readonly Numbers[], { weights, factors }: Mixture, base: Numbers): Numbers {
  const sums = allocateLike(base);
  for (const [k, delta] of deltas.entries()) {
    const [factor, weight] = [at(factors, k, "factor"), at(weights, k, "weight")];
    weighAndVote(delta, { factor, weight, counts: false }, sums);
  }
  return sums;
}

function addElected(deltas: readonly Numbers[], mixture: Mixture, base: Numbers): Numbers {
  const { weights, factors, consensus, normalize } = mixture;
  const [votes, sums, divisors] = [allocateLike(base), allocateLike(base), allocateLike(base)];
  for (const [k, delta] of deltas.entries()) {
    const [factor, weight] = [at(factors, k, "factor"), at(weights, k, "weight")];
    weighAndVote(delta, { factor, weight, counts: consensus === "count" }, votes);
  }
  for (const [k, delta] of deltas.entries()) {
    addAgreeing(votes, delta, { scale: 1, weight: at(weights, k, "weight") }, { sums, divisors });
  }
  // Where no network agrees, both are 0.
  if (normalize && weights.every((weight) => weight >= 0)) divideByAtLeast(sums, divisors, LEAST_WEIGHT);
  else if (normalize) divideBy(sums, divisors, leastDivisor(weights));
  return sums;
}

/**
 * Returns the size up to which a divisor is taken for 0. Only weights of both signs can cancel out up to
 * rounding, and then dividing by what is left would blow up the differences.
 */
function leastDivisor(weights: readonly number[]): number {
  const isMixed = weights.some((weight) => weight < 0) && weights.some((weight) => weight > 0);
  return isMixed ? LEAST_SHARE * Math.max(...weights.map(Math.abs)) : 0;
}

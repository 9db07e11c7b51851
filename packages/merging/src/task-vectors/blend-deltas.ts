import { at } from "@isthmus/core";
import {
  addChanges,
  addSignsTo,
  addTo,
  addWeightOf,
  divideBy,
  divideByAtLeast,
  keepAgreeing,
  type Numbers,
  scaleBy,
} from "../kernels/task-vectors.ts";
import { allocateNumbers, type DeltaBlock } from "./delta-blocks.ts";

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
  const { weights, factors, lambda } = mixture;
  let scratch: Sums | undefined;
  return ({ base, deltas }, out) => {
    if (scratch === undefined || scratch.sums.length !== base.length) scratch = allocateSums(base);
    for (const [k, delta] of deltas.entries()) {
      for (const factor of [at(factors, k, "factor"), at(weights, k, "weight")]) scale(delta, factor);
    }
    scratch.sums.fill(0);
    if (mixture.consensus === undefined) addAll(deltas, mixture, scratch);
    else addElected(deltas, mixture, scratch);
    scale(scratch.sums, lambda);
    addChanges(base, scratch.sums, out);
  };
}

interface Sums {
  readonly sums: Numbers;
  readonly votes: Numbers;
  readonly divisors: Numbers;
}

function allocateSums(base: Numbers): Sums {
  const allocate = () => allocateNumbers(base instanceof Float64Array, base.length);
  return { sums: allocate(), votes: allocate(), divisors: allocate() };
}

function addAll(deltas: readonly Numbers[], { weights, normalize }: Mixture, { sums }: Sums): void {
  for (const delta of deltas) addTo(sums, delta);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (normalize && Math.abs(total) >= LEAST_SUM) scaleBy(sums, 1 / total);
}

function addElected(deltas: readonly Numbers[], mixture: Mixture, { sums, votes, divisors }: Sums): void {
  const { weights, consensus, normalize } = mixture;
  votes.fill(0);
  divisors.fill(0);
  for (const delta of deltas) (consensus === "sum" ? addTo : addSignsTo)(votes, delta);
  for (const [k, delta] of deltas.entries()) {
    keepAgreeing(votes, delta);
    addTo(sums, delta);
    if (normalize) addWeightOf(delta, at(weights, k, "weight"), divisors);
  }
  if (!normalize) return;
  // Where no network agrees, both are 0.
  if (weights.every((weight) => weight >= 0)) divideByAtLeast(sums, divisors, LEAST_WEIGHT);
  else divideBy(sums, divisors, leastDivisor(weights));
}

/**
 * Returns the size up to which a divisor is taken for 0. Only weights of both signs can cancel out up to
 * rounding, and then dividing by what is left would blow up the differences.
 */
function leastDivisor(weights: readonly number[]): number {
  const isMixed = weights.some((weight) => weight < 0) && weights.some((weight) => weight > 0);
  return isMixed ? LEAST_SHARE * Math.max(...weights.map(Math.abs)) : 0;
}

/** Multiplies numbers by a factor that is rounded to their type. */
function scale(values: Numbers, factor: number): void {
  if (factor !== 1) scaleBy(values, values instanceof Float64Array ? factor : Math.fround(factor));
}

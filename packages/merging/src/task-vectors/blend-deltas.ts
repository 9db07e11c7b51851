import { at, sumOf } from "@isthmus/core";
import type { MagnitudeWindow } from "../kernels/magnitudes.ts";
import {
  ALL_MAGNITUDES,
  type Election,
  type MixedBase,
  type MixedVector,
  mixVectors,
} from "../kernels/mixtures.ts";
import type { Numbers } from "../kernels/task-vectors.ts";
import type { DeltaBlock } from "./delta-blocks.ts";

/**
 * Rule by which the signs of elements are elected: by the sum of the weighted differences, or by the number
 * of their signs.
 */
export type ConsensusMethod = "sum" | "count";

/** Parameters for adding task vectors to a base. */
export interface Mixture {
  /** Weight of each network's difference from the base. */
  readonly weights: readonly number[];
  /** Factors of the networks' differences before they are weighted. */
  readonly factors: readonly number[];
  /** Rule by which signs are elected; undefined to add all differences, of any sign. */
  readonly consensus: ConsensusMethod | undefined;
  /** Whether sums are divided by the sum of the weights of their terms. */
  readonly normalize: boolean;
  /** Factor of the sum. */
  readonly lambda: number;
}

/**
 * Magnitudes of a network's differences that are kept; undefined if the differences were thinned out before.
 */
export type KeptMagnitudes = MagnitudeWindow | undefined;

/** Adds the weighted task vectors of a block to the base, into `out`. It may overwrite the task vectors. */
export type MixBlock = (block: DeltaBlock, windows: readonly KeptMagnitudes[], out: Numbers) => void;

/** Size of a sum of weights below which it counts as 0. */
const LEAST_SUM = 1e-8;

/** Smallest number that f32 holds with full precision. */
const LEAST_WEIGHT = 2 ** -126;

/** Share of the largest weight up to which a sum of weights of both signs counts as 0. */
const LEAST_SHARE = 1e-6;

/** Returns a function that adds weighted task vectors to a base, block by block. */
export function createMixer(mixture: Mixture): MixBlock {
  const { weights, factors, consensus, normalize, lambda } = mixture;
  const total = sumOf(weights);
  const divisor = normalize && Math.abs(total) >= LEAST_SUM ? total : 1;
  const election = consensus === undefined ? undefined : electionOf(mixture, consensus);
  const factor = consensus === undefined ? lambda / divisor : lambda;
  return (block, windows, out) => {
    const vectors = weights.map((weight, k) =>
      vectorOf(block, k, { kept: windows[k], weight, factor: at(factors, k, "factor") }),
    );
    mixVectors(vectors, baseOfBlock(block), { election, factor }, out);
  };
}

/** Returns the task vector of a network in a block, with the magnitudes that are kept. */
export function vectorOf(
  block: DeltaBlock,
  k: number,
  { kept, ...factors }: Omit<MixedVector, "stored" | "delta" | "kept"> & { readonly kept: KeptMagnitudes },
): MixedVector {
  return {
    stored: kept === undefined ? undefined : () => block.stored(k),
    delta: () => at(block.deltas, k, "network"),
    kept: kept ?? ALL_MAGNITUDES,
    ...factors,
  };
}

/** Returns the base of a block in the form that loops read. */
export function baseOfBlock(block: DeltaBlock): MixedBase {
  return { stored: () => block.storedBase(), numbers: () => block.base };
}

function electionOf({ weights, normalize }: Mixture, consensus: ConsensusMethod): Election {
  const counts = consensus === "count";
  if (!normalize) return { counts, divides: "never", least: 0 };
  // Where no network agrees, the sum and the divisor are 0.
  if (weights.every((weight) => weight >= 0)) return { counts, divides: "at least", least: LEAST_WEIGHT };
  return { counts, divides: "above", least: leastDivisor(weights) };
}

/**
 * Returns the size up to which a divisor counts as 0. Only weights of both signs can cancel out up to
 * rounding errors, and a division by these errors would enlarge the differences enormously.
 */
function leastDivisor(weights: readonly number[]): number {
  const isMixed = weights.some((weight) => weight < 0) && weights.some((weight) => weight > 0);
  return isMixed ? LEAST_SHARE * Math.max(...weights.map(Math.abs)) : 0;
}

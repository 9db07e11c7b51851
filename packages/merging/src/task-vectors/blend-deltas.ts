import { at } from "@isthmus/core";
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

/** Magnitudes of a network's differences that are kept; undefined where they were thinned out before. */
export type KeptMagnitudes = MagnitudeWindow | undefined;

/** Writes the base with the weighted task vectors of a block added; it may change them. */
export type MixBlock = (block: DeltaBlock, windows: readonly KeptMagnitudes[], out: Numbers) => void;

/** Sums of weights up to this are taken for 0. */
const LEAST_SUM = 1e-8;

/** The smallest number that f32 holds with all its digits. */
const LEAST_WEIGHT = 2 ** -126;

/** Share of the largest weight up to which a sum of weights of both signs is taken for 0. */
const LEAST_SHARE = 1e-6;

/** Returns a function that adds weighted task vectors to a base, block by block. */
export function createMixer(mixture: Mixture): MixBlock {
  const { weights, factors, consensus, normalize, lambda } = mixture;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
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

/** Returns the task vector of a network in a block, of which magnitudes are kept or were kept before. */
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

/** Returns the base of a block as loops take it. */
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
 * Returns the size up to which a divisor is taken for 0. Only weights of both signs can cancel out up to
 * rounding, and then dividing by what is left would blow up the differences.
 */
function leastDivisor(weights: readonly number[]): number {
  const isMixed = weights.some((weight) => weight < 0) && weights.some((weight) => weight > 0);
  return isMixed ? LEAST_SHARE * Math.max(...weights.map(Math.abs)) : 0;
}

import { at, createRandom } from "@isthmus/core";

/** Places between networks at which a step of learning may be made. */
export const LEARNED_PLACES = ["half", "sampled"] as const;

/** Shares of networks in a mean of all of them, which sum to 1. */
export type Shares = readonly number[];

/** Returns equal shares for a number of networks: half-way between two, the mean of more. */
export function equalShares(count: number): Shares {
  return Array.from({ length: count }, () => 1 / count);
}

/**
 * Draws the shares of networks for a step, from the seed and the step alone: evenly from all shares that are
 * possible, so that of two networks the share of the second is even between 0 and 1.
 */
export function sampledShares(count: number, seed: number, step: number): Shares {
  const random = createRandom(seed, `learned alignment, place of step ${step}`);
  const cuts = Float64Array.from({ length: count - 1 }, () => random.uniform()).sort();
  // From the last piece down, as the second of two networks gets the number that is drawn.
  const edges = [0, ...cuts, 1].reverse();
  return edges.slice(1).map((edge, i) => at(edges, i, "edge") - edge);
}

/** Writes the sum of networks by their shares, element by element, computed in f64. */
export function blendInto(parts: readonly Float32Array[], shares: Shares, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < parts.length; k++)
      sum += (shares[k] as number) * ((parts[k] as Float32Array)[i] as number);
    out[i] = sum;
  }
}

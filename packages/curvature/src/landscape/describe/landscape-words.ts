import { formatShare, formatShort, lossWords } from "@isthmus/findings";
import type { LandscapeResult } from "../landscape-result.ts";

/** Names of the kinds of directions of a landscape in sentences. */
export const DIRECTION_WORDS: Readonly<Record<LandscapeResult["directions"], string>> = {
  random: "random directions",
  eigenvectors: "eigenvectors of the Hessian",
  trajectory: "principal components of a training run",
  networks: "the directions to other networks",
  initialization: "the way from the initialization",
};

/** Words for the normalizations of directions in sentences. */
export const SIZE_WORDS: Readonly<Record<LandscapeResult["normalization"], string>> = {
  filter: "scaled to the size of every filter",
  layer: "scaled to the size of every layer",
  whole: "scaled to the size of the network",
  none: "not scaled",
};

/**
 * Returns the name of a direction for its axis, with its eigenvalue or its share of the variance in brackets,
 * if known.
 */
export function axisWords({ basis }: LandscapeResult, axis: number): string {
  const { label = "", eigenvalue, explained } = basis[axis] ?? {};
  if (eigenvalue !== undefined) return `${label} (eigenvalue ${formatShort(eigenvalue)})`;
  if (explained !== undefined) return `${label} (${formatShare(explained)} of the variance)`;
  return label;
}

/**
 * Says whether the loss only falls on the path from an initialization; returns an empty text for other
 * landscapes.
 */
export function monotoneWords(result: LandscapeResult): string {
  const { interpolation } = result;
  if (interpolation === undefined) return "";
  const losses = lossWords(result);
  const { monotone, largestRise, from, to, barrier } = interpolation;
  const rise = monotone
    ? "the loss falls all the way, up to rounding"
    : `the loss does not fall all the way: it rises by ${losses.amount(largestRise)} from ${formatShort(from)} to ${formatShort(to)} of it`;
  return `From the initialization to the network, ${rise}; the barrier above the chord is ${losses.amount(barrier.loss.chord)}.`;
}

import type { OfMerge } from "../rules/parameters.ts";

/** Describes the learning rate of an optimiser of the server, with its default. */
export function learningRateOf(fallback: number): OfMerge<number> {
  return { description: "Multiplies the step of each element.", of: "merge", default: fallback, least: 0 };
}

/**
 * Parameter for the share of the mean of changes that is kept from round to round, by default as in Flower.
 */
export const BETA1: OfMerge<number> = {
  description: "Share of the mean of changes that is kept from round to round.",
  of: "merge",
  default: 0.9,
  least: 0,
  most: 1,
};

/** Parameter for the share of the mean of squared changes that is kept, by default as in Flower. */
export const BETA2: OfMerge<number> = {
  description: "Share of the mean of squared changes that is kept from round to round.",
  of: "merge",
  default: 0.99,
  least: 0,
  most: 1,
};

/** Parameter for the number that is added to the root of squared changes, by default as in Flower. */
export const TAU: OfMerge<number> = {
  description: "What is added to the divisor: changes that are small beside it move the network less.",
  of: "merge",
  default: 1e-3,
  least: 0,
};

/** Parameters of optimisers that keep means of changes and of their squares. */
export type AdaptiveSpecs = {
  /** Factor of the step of each element, at least 0. */
  readonly learningRate: OfMerge<number>;
  /** Share of the mean of changes that is kept from round to round, in `[0, 1]`. */
  readonly beta1: OfMerge<number>;
  /** Share of the mean of squared changes that is kept from round to round, in `[0, 1]`. */
  readonly beta2: OfMerge<number>;
  /** Number that is added to the divisor, so that small changes move the network less; at least 0. */
  readonly tau: OfMerge<number>;
};

import type { ParameterSpec, ParameterValue } from "@isthmus/merging";

/** A parameter that has one value for all updates. */
export type OfMerge<T extends ParameterValue> = ParameterSpec<T> & {
  /** Mark of a parameter that has one value for all updates, not one for each. */
  readonly of: "merge";
};

/** Parameter for the number of attackers that a robust rule resists. */
export const F: OfMerge<number> = {
  description: "Number of clients that may send anything.",
  of: "merge",
  least: 0,
  whole: true,
};

/** Parameters of rules that need no more than the number of attackers. */
export type FSpecs = {
  /** Number of clients that may send anything, at least 0. */
  readonly f: OfMerge<number>;
};

/**
 * Describes whether updates count by their examples; a client that lies about its number then counts for
 * more.
 */
export function weightedBy(fallback: boolean): OfMerge<boolean> {
  return {
    description:
      "Whether updates count by their numbers of examples, which clients say themselves, not equally.",
    of: "merge",
    default: fallback,
  };
}

import { at, type Elements } from "@isthmus/core";
import { allocateNumbers } from "../kernels/block-memory.ts";
import { addContributions, countLarger } from "../kernels/contributions.ts";
import type { Numbers } from "../kernels/task-vectors.ts";
import { addChanges } from "../kernels/vectors.ts";
import type { OfMerge } from "./parameters.ts";
import { type WrittenRange, writeDeltas } from "./write-deltas.ts";

/** Parameters of rules that distinguish shared differences from differences of a single network. */
export type ContributionSpecs = { /** Size that does not count. */ readonly epsilon: OfMerge<number> };

/**
 * Descriptions of the parameters of rules that distinguish shared differences from differences of a single
 * network.
 */
export const CONTRIBUTION_SPECS: ContributionSpecs = {
  epsilon: {
    description: "Differences up to this size do not count.",
    of: "merge",
    default: 1e-5,
    least: 0,
  },
};

/** Counts for each element the networks in which it differs from the base by more than `epsilon`. */
export function countContributions(deltas: readonly Numbers[], epsilon: number): Numbers {
  const first = at(deltas, 0, "network");
  const counts = allocateNumbers(first instanceof Float64Array, first.length);
  for (const delta of deltas) countLarger(counts, delta, leastContribution(delta, epsilon));
  return counts;
}

/** Returns the size that a difference must exceed to count, in the type of the differences. */
export function leastContribution(delta: Numbers, epsilon: number): number {
  return delta instanceof Float64Array ? epsilon : Math.fround(epsilon);
}

/**
 * Computes the base plus the differences that count: shared differences as their mean, others multiplied by a
 * factor.
 * @param unique - factor of each network's differences that no other network shares
 */
export function writeContributions(
  range: WrittenRange,
  out: Elements,
  { epsilon, unique }: { readonly epsilon: number; readonly unique: readonly number[] },
): Promise<void> {
  return writeDeltas(range, out, ({ base, deltas }, result) => {
    const sums = allocateNumbers(base instanceof Float64Array, base.length);
    const counts = countContributions(deltas, epsilon);
    for (const [k, delta] of deltas.entries()) {
      const least = leastContribution(delta, epsilon);
      addContributions(sums, delta, counts, { least, unique: at(unique, k, "factor") });
    }
    addChanges(base, sums, result);
  });
}

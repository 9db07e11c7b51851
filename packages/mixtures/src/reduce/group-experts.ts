import { at, OutOfRangeError } from "@isthmus/core";
import type { LayerExperts } from "./measure-experts.ts";

/**
 * Ways to have fewer experts: alike ones become one by a mean of their weights, or the least important ones
 * go.
 */
export const REDUCTIONS = ["merge", "drop"] as const;

/** A way to have fewer experts, one of {@link REDUCTIONS}. */
export type Reduction = (typeof REDUCTIONS)[number];

/** An expert of the result: the experts of the mixture that it is made of. */
export interface ExpertGroup {
  /** Places of the experts in the mixture, ascending. */
  readonly members: readonly number[];
  /** Shares of the members in the mean of weights, which sum to 1. */
  readonly shares: readonly number[];
}

/**
 * Chooses the experts of a smaller layer.
 *
 * `drop` keeps the experts that contribute most. `merge` joins the two experts, or groups, whose mean changes
 * results least, again and again: weights `w` and squared distance `d` of results give the cost
 * `w_i w_j / (w_i + w_j) d_ij`, and a group has the distances of the weighted mean of its results. M-SMoE
 * (Li et al., Merge, then compress, 2024, section 3) joins each expert to the most similar of the most used
 * ones instead, so that two most used experts that are alike both stay.
 * @param count - number of experts of the result
 * @returns groups in the order of their first members
 */
export function groupExperts(
  { weights, saliences, distances }: LayerExperts,
  count: number,
  by: Reduction,
): readonly ExpertGroup[] {
  const experts = weights.length;
  assertExpertCount(count, experts);
  if (by === "drop") {
    const order = [...saliences.keys()].sort((a, b) => at(saliences, b) - at(saliences, a));
    return order
      .slice(0, count)
      .sort((a, b) => a - b)
      .map((member) => ({ members: [member], shares: [1] }));
  }
  const groups = Array.from(weights, (weight, member) => ({ members: [member], weight }));
  const apart = Array.from({ length: experts }, (_, i) =>
    Array.from(distances.subarray(i * experts, (i + 1) * experts)),
  );
  while (groups.length > count) join({ groups, apart });
  return groups.map(({ members }) => {
    const sorted = members.sort((a, b) => a - b);
    const total = sorted.reduce((sum, member) => sum + at(weights, member), 0);
    const shares = sorted.map((member) => (total > 0 ? at(weights, member) / total : 1 / sorted.length));
    return { members: sorted, shares };
  });
}

/**
 * Checks the number of experts of a smaller layer.
 * @param experts - number of experts of the layer
 * @throws OutOfRangeError if it is no whole number from 1 to `experts`
 */
export function assertExpertCount(count: number, experts: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= experts) return;
  throw new OutOfRangeError(
    `Cannot reduce experts as their number must be a whole number from 1 to ${experts}, the number of experts of the mixture: it is ${count}`,
  );
}

/** Groups of experts while they are joined, and the squared distances between their results. */
interface Joining {
  readonly groups: { readonly members: number[]; readonly weight: number }[];
  readonly apart: number[][];
}

/** Joins the two groups of least cost, in place: the second is removed, and distances of the first change. */
function join({ groups, apart }: Joining): void {
  const [first, second] = leastPair({ groups, apart });
  const [joined, removed] = [at(groups, first, "group"), at(groups, second, "group")];
  const weight = joined.weight + removed.weight;
  const share = weight > 0 ? joined.weight / weight : 0.5;
  const [ofFirst, ofSecond] = [at(apart, first, "group"), at(apart, second, "group")];
  const gap = share * (1 - share) * at(ofFirst, second);
  for (const [other, row] of apart.entries()) {
    if (other === first || other === second) continue;
    const mean = share * at(ofFirst, other) + (1 - share) * at(ofSecond, other) - gap;
    ofFirst[other] = Math.max(0, mean);
    row[first] = Math.max(0, mean);
  }
  groups[first] = { members: [...joined.members, ...removed.members], weight };
  groups.splice(second, 1);
  apart.splice(second, 1);
  for (const row of apart) row.splice(second, 1);
}

/**
 * Finds the two groups whose joining costs least; of equal costs, as of groups without weight, the closest.
 */
function leastPair({ groups, apart }: Joining): readonly [number, number] {
  const pairs = groups.flatMap((a, i) =>
    groups.slice(i + 1).map((b, k) => {
      const distance = at(at(apart, i, "group"), i + 1 + k, "group");
      const sum = a.weight + b.weight;
      return { i, j: i + 1 + k, distance, cost: sum > 0 ? ((a.weight * b.weight) / sum) * distance : 0 };
    }),
  );
  const { i, j } = pairs.reduce((least, pair) =>
    pair.cost < least.cost || (pair.cost === least.cost && pair.distance < least.distance) ? pair : least,
  );
  return [i, j];
}

import { at, OutOfRangeError } from "@isthmus/core";
import type { LayerExperts } from "./measure-experts.ts";

/** Ways to have fewer experts: alike ones become one by a mean of their weights, or the least important ones go. */
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
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= experts)) {
    throw new OutOfRangeError(
      `Cannot reduce experts as their number must be a whole number from 1 to ${experts}, the number of experts of the mixture: it is ${count}`,
    );
  }
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
  while (groups.length > count) join(groups, apart);
  return groups.map(({ members }) => {
    const sorted = members.sort((a, b) => a - b);
    const total = sorted.reduce((sum, member) => sum + at(weights, member), 0);
    const shares = sorted.map((member) => (total > 0 ? at(weights, member) / total : 1 / sorted.length));
    return { members: sorted, shares };
  });
}

/** Joins the two groups of least cost, in place: the second is removed, and distances of the first change. */
function join(groups: { members: number[]; weight: number }[], apart: number[][]): void {
  const weightOf = (i: number) => at(groups, i, "group").weight;
  const between = (i: number, j: number) => at(at(apart, i, "group"), j, "group");
  // Groups without any weight cost nothing, but alike ones are still joined first.
  const costOf = (i: number, j: number) => {
    const sum = weightOf(i) + weightOf(j);
    return sum > 0 ? ((weightOf(i) * weightOf(j)) / sum) * between(i, j) : 0;
  };
  let [first, second] = [0, 1];
  for (let i = 0; i < groups.length; i++) {
    for (let j = i + 1; j < groups.length; j++) {
      const [own, least] = [costOf(i, j), costOf(first, second)];
      if (own < least || (own === least && between(i, j) < between(first, second))) [first, second] = [i, j];
    }
  }
  const sum = weightOf(first) + weightOf(second);
  const share = sum > 0 ? weightOf(first) / sum : 0.5;
  const gap = share * (1 - share) * between(first, second);
  for (let k = 0; k < groups.length; k++) {
    if (k === first || k === second) continue;
    const mean = share * between(first, k) + (1 - share) * between(second, k) - gap;
    for (const [i, j] of [
      [first, k],
      [k, first],
    ] as const)
      at(apart, i, "group")[j] = Math.max(0, mean);
  }
  const [joined, removed] = [at(groups, first, "group"), at(groups, second, "group")];
  groups[first] = { members: [...joined.members, ...removed.members], weight: sum };
  groups.splice(second, 1);
  apart.splice(second, 1);
  for (const row of apart) row.splice(second, 1);
}

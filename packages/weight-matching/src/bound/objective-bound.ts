import { at } from "@isthmus/core";
import { unitsOf } from "../coordinate-descent/block-matcher.ts";
import type { CrossProducts } from "../coordinate-descent/cross-products.ts";
import type { DescentProblem } from "../coordinate-descent/descend.ts";
import { DescentState } from "../coordinate-descent/descent-state.ts";
import type { Member } from "../coordinate-descent/unit-tree.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { chooseSides, whoseRestIsHeld } from "./choose-sides.ts";

/** Share of the sum of norms that rounding of the costs to f32 may take from a bound. */
const ROUNDING = 2 ** -20;

/**
 * Computes a number that the objective of no alignment exceeds.
 *
 * By Cauchy and Schwarz a weight contributes at most `|A| |B|`. If only one of its axes moves, its
 * contribution is linear in one permutation and counted exactly. If two move, permuting one does not change
 * the norms of the other's units, so unit `j` in place `i` contributes at most `|A_i| |B_j|`; the axis whose
 * norms give the least bound is taken. Each block is then assigned for the greatest sum over all its weights,
 * which is at most as much as the weights could contribute one by one. The lesser of this and the sum over
 * weights is returned.
 */
export async function objectiveBound(
  problem: DescentProblem,
  weights: MatchedWeights,
  { products, reached }: { readonly products: CrossProducts; readonly reached: number },
): Promise<number> {
  const cauchy = [...weights.norms.values()].reduce((sum, { a, b }) => sum + a * b, 0);
  // For permuted copies no bound is lower, and if weights must be read, stopping here saves much time.
  if (reached >= cauchy * (1 - ROUNDING ** 2)) return Math.max(reached, cauchy);
  const sides = await chooseSides(problem, weights);
  const isExact = whoseRestIsHeld(problem);
  let bound = sides.constant;
  const state = new DescentState(problem, problem.start, []);
  for (const [index, matcher] of problem.matchers.entries()) {
    if (matcher.held) continue;
    const costs = new Map<Member, Float32Array>();
    for (const [member, cost] of await matcher.costsAt(state.sourcesOf(index), isExact)) {
      let sum = cost;
      for (const { a, b } of sides.ofMember.get(member) ?? []) {
        const out = new Float32Array(sum.length);
        await products.add(a, b, sum, out);
        sum = out;
      }
      costs.set(member, sum);
    }
    // A block whose weights are all bounded one by one adds nothing.
    if ([...costs.values()].every((cost) => cost.every((value) => value === 0))) continue;
    const choices = matcher.solve(costs, problem.start);
    for (const [member, cost] of costs) {
      const units = unitsOf(matcher.block, member, choices);
      units.forEach((unit, place) => {
        bound += at(cost, place * units.length + unit, "cost");
      });
    }
  }
  return Math.min(cauchy * (1 + ROUNDING ** 2), bound + ROUNDING * cauchy);
}

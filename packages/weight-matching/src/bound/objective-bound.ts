import { at, sizeOf } from "@isthmus/core";
import { type BlockMatcher, unitsOf } from "../coordinate-descent/block-matcher.ts";
import type { CrossProducts } from "../coordinate-descent/cross-products.ts";
import type { DescentProblem } from "../coordinate-descent/descend.ts";
import { DescentState } from "../coordinate-descent/descent-state.ts";
import { isFixed } from "../coordinate-descent/member-costs.ts";
import { columnOffsets, type Occurrence } from "../coordinate-descent/occurrences.ts";
import type { Member } from "../coordinate-descent/unit-tree.ts";
import { weightParts } from "../coordinate-descent/weight-parts.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { chooseSides, MAX_JOINT, type Sides, sortedProduct, whoseRestIsHeld } from "./choose-sides.ts";

/** Share of the sum of norms that rounding of the costs to f32 may take from a bound. */
const ROUNDING = 2 ** -20;

/** Options of {@link objectiveBound}. */
interface BoundTools {
  /** Port that computes products of norms. */
  readonly products: CrossProducts;
  /** Objective that an alignment reached. */
  readonly reached: number;
  /** Signal that stops the computation; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
}

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
  { products, reached, signal }: BoundTools,
): Promise<number> {
  const cauchy = [...weights.norms.values()].reduce((sum, { a, b }) => sum + a * b, 0);
  // For permuted copies no bound is lower, and if weights must be read, stopping here saves much time.
  if (reached >= cauchy * (1 - ROUNDING ** 2)) return Math.max(reached, cauchy);
  const sides = await chooseSides(problem, weights, signal);
  const isExact = whoseRestIsHeld(problem);
  let bound = sides.constant;
  for (const [index, matcher] of problem.matchers.entries()) {
    signal?.throwIfAborted();
    if (matcher.held) continue;
    const vectors = sides.ofMember.has(matcher.block.root) ? undefined : largeVectors(matcher, isExact);
    if (vectors === undefined) bound = await addBlock(bound, problem, index, { sides, products, isExact });
    else for (const vector of vectors) bound += await boundVector(vector, weights);
  }
  return Math.min(cauchy * (1 + ROUNDING ** 2), bound + ROUNDING * cauchy);
}

/** Adds to a bound the most that the assignment of one block may contribute, all its weights together. */
async function addBlock(
  start: number,
  problem: DescentProblem,
  index: number,
  {
    sides,
    products,
    isExact,
  }: {
    readonly sides: Sides;
    readonly products: CrossProducts;
    readonly isExact: (occurrence: Occurrence) => boolean;
  },
): Promise<number> {
  const matcher = at(problem.matchers, index, "block");
  const sources = new DescentState(problem, problem.start, []).sourcesOf(index);
  const costs = new Map<Member, Float32Array>();
  for (const [member, cost] of await matcher.costsAt(sources, isExact)) {
    let sum = cost;
    for (const { a, b } of sides.ofMember.get(member) ?? []) {
      const out = new Float32Array(sum.length);
      await products.add(a, b, sum, out);
      sum = out;
    }
    costs.set(member, sum);
  }
  // A block whose weights are all bounded one by one adds nothing.
  if ([...costs.values()].every((cost) => cost.every((value) => value === 0))) return start;
  const choices = matcher.solve(costs, problem.start);
  let bound = start;
  for (const [member, cost] of costs) {
    const units = unitsOf(matcher.block, member, choices);
    units.forEach((unit, place) => {
      bound += at(cost, place * units.length + unit, "cost");
    });
  }
  return bound;
}

/**
 * Lists the weights whose contribution is known exactly of a block of a single symmetry that is too large to
 * assign products of norms, if all of them are vectors, such as biases: each is bounded alone then.
 */
function largeVectors(
  { block, occurrences }: BlockMatcher,
  isExact: (occurrence: Occurrence) => boolean,
): Occurrence[] | undefined {
  const { cells, size } = block.root.symmetry;
  if (block.members.length > 1 || cells.length > 1 || size <= MAX_JOINT) return undefined;
  const exact = [...occurrences.values()]
    .flat()
    .filter((occurrence) => !occurrence.entangled && (isFixed(occurrence) || isExact(occurrence)));
  const areVectors = exact.every(
    ({ layout, positions, slots }) => slots === 1 && sizeOf(layout.view) === positions.length,
  );
  return areVectors ? exact : undefined;
}

/** Computes the greatest inner product of a vector of A and one of B whose elements may be permuted. */
async function boundVector(occurrence: Occurrence, { tiles }: MatchedWeights): Promise<number> {
  const { tensor, layout, components } = occurrence;
  const { offsets } = at(weightParts(layout, components, undefined), 0, "part");
  const tables = { lead: columnOffsets(occurrence, 0, offsets, undefined), rest: [] };
  const [a, b] = await Promise.all([
    tiles.a.read(tensor, layout, tables, true),
    tiles.b.read(tensor, layout, tables, true),
  ]);
  return sortedProduct(a, b);
}

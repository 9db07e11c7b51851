import { votes } from "../coordinate-descent/alignment-objective.ts";
import type { DescentProblem } from "../coordinate-descent/descend.ts";
import { isFixed } from "../coordinate-descent/member-costs.ts";
import type { Occurrence } from "../coordinate-descent/occurrences.ts";
import type { Member, UnitTree } from "../coordinate-descent/unit-tree.ts";
import { isShared } from "../frank-wolfe/relaxable.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { type NamedLayout, type PositionSums, positionSums } from "./position-sums.ts";

/** Norms of the units of an occurrence in both networks, `[slots, units]`. */
export interface SideNorms {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly slots: number;
}

/** On which axis each weight is bounded. */
export interface Sides {
  /** What is to be added to the costs of each member: products of norms. */
  readonly ofMember: ReadonlyMap<Member, readonly SideNorms[]>;
  /** What weights and positions bring at most that no assignment moves. */
  readonly constant: number;
}

/**
 * Units up to which all that a symmetry moves is assigned together. Products of norms have low rank, which is slow to assign. Beyond, weights are bounded one by one, which is a little less tight.
 */
const MAX_JOINT = 1024;

interface MemberOccurrence {
  readonly member: Member;
  readonly occurrence: Occurrence;
}

/** Bounds each weight on the axis whose norms say most; weights without such an axis by their whole norms. */
export async function chooseSides(problem: DescentProblem, weights: MatchedWeights): Promise<Sides> {
  const ofMember = new Map<Member, SideNorms[]>();
  const held = new Set<string>();
  let constant = 0;
  for (const [tensor, layout] of problem.spec.weights) {
    if (!votes(layout)) continue;
    const own = occurrencesOf(problem, tensor);
    if (own.length === 0) {
      held.add(tensor);
      continue;
    }
    const side = await bestSide(problem, weights, { weight: { tensor, layout }, own });
    if (side === undefined) {
      const { a, b } = weights.norms.get(tensor) ?? { a: 0, b: 0 };
      constant += a * b;
      continue;
    }
    constant += side.still;
    for (const [member, norms] of side.norms) {
      if (norms.a.length > MAX_JOINT * norms.slots) constant += sortedProduct(norms.a, norms.b);
      else ofMember.set(member, [...(ofMember.get(member) ?? []), norms]);
    }
  }
  // Weights of which nothing moves bring what they bring.
  constant += await weights.objective(problem.expander.expand(problem.start), true, held);
  return { ofMember, constant };
}

/** Occurrences in a weight of what may move. */
function occurrencesOf({ matchers }: DescentProblem, tensor: string): MemberOccurrence[] {
  return matchers
    .filter(({ held }) => !held)
    .flatMap(({ occurrences }) =>
      [...occurrences].flatMap(([member, all]) =>
        all
          .filter((each) => each.tensor === tensor)
          .map((occurrence): MemberOccurrence => ({ member, occurrence })),
      ),
    );
}

interface MeasuredSide {
  /** Nothing where the costs of the member have the occurrence already, exactly. */
  readonly norms: readonly (readonly [Member, SideNorms])[];
  /** What positions bring that hold no unit. */
  readonly still: number;
  /** Bound by this axis alone, by which axes are compared. */
  readonly estimate: number;
}

/** Takes occurrences whose other side stays where it is, so that what they bring is known exactly. */
export function whoseRestIsHeld({ matchers }: DescentProblem): (occurrence: Occurrence) => boolean {
  return ({ dependsOn, coupled, entangled }) =>
    !coupled && !entangled && [...dependsOn].every((block) => matchers[block]?.held === true);
}

async function bestSide(
  problem: DescentProblem,
  weights: MatchedWeights,
  { weight, own }: { readonly weight: NamedLayout; readonly own: readonly MemberOccurrence[] },
): Promise<MeasuredSide | undefined> {
  const { tree } = problem;
  const isExact = whoseRestIsHeld(problem);
  let best: MeasuredSide | undefined;
  for (const moving of new Set(own.map(({ occurrence }) => occurrence.moving))) {
    const side = own.filter(({ occurrence }) => occurrence.moving === moving);
    const component = side[0]?.occurrence.components[moving];
    if (component === undefined || !isClean(tree, side, component.size)) continue;
    const exact = side.every(({ occurrence }) => isExact(occurrence));
    const measured = measureSide(side, await positionSums(weights, weight, component), exact);
    if (exact) return measured;
    if (best === undefined || measured.estimate < best.estimate) best = measured;
  }
  return best;
}

/** Whether every position is that of at most one unit, and moves with units of one block only. */
function isClean(tree: UnitTree, side: readonly MemberOccurrence[], size: number): boolean {
  const seen = new Uint8Array(size);
  for (const { occurrence } of side) {
    if (occurrence.entangled || isShared(tree, occurrence)) return false;
    for (const position of occurrence.positions) {
      if (position < 0 || seen[position] !== 0) return false;
      seen[position] = 1;
    }
  }
  return true;
}

function measureSide(side: readonly MemberOccurrence[], sums: PositionSums, exact: boolean): MeasuredSide {
  // Products are of B as it is, which is what counts only if nothing else moves in the weight.
  const fixed = side.every(({ occurrence }) => isFixed(occurrence));
  const held = new Uint8Array(sums.a.length);
  const norms = side.map(({ member, occurrence }): [Member, SideNorms] => {
    const { positions, slots } = occurrence;
    const units = positions.length / slots;
    for (const position of positions) held[position] = 1;
    const bySlot = (norm: Float64Array) =>
      Float32Array.from(
        positions,
        (_, i) => norm[positions[(i % units) * slots + Math.floor(i / units)] ?? 0] ?? 0,
      );
    return [member, { a: bySlot(sums.a), b: bySlot(sums.b), slots }];
  });
  let still = 0;
  held.forEach((isHeld, position) => {
    const norm = (sums.a[position] ?? 0) * (sums.b[position] ?? 0);
    if (isHeld === 0) still += fixed ? (sums.product[position] ?? 0) : norm;
  });
  const estimate = norms.reduce((sum, [, { a, b }]) => sum + sortedProduct(a, b), still);
  return { norms: exact ? [] : norms, still, estimate };
}

/** The greatest sum of products of pairs (rearrangement inequality). */
function sortedProduct(a: Float32Array, b: Float32Array): number {
  const [left, right] = [a.slice().sort(), b.slice().sort()];
  return left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0);
}

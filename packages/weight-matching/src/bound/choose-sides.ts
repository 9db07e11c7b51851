import { at, axisOffsets, dot, entry, sizeOf, stridesOf } from "@isthmus/core";
import type { WeightLayout } from "@isthmus/symmetry";
import type { LayoutComponent } from "@isthmus/symmetry/layout";
import { votes } from "../coordinate-descent/alignment-objective.ts";
import type { DescentProblem } from "../coordinate-descent/descend.ts";
import { isFixed } from "../coordinate-descent/member-costs.ts";
import type { Occurrence } from "../coordinate-descent/occurrences.ts";
import type { Member, UnitTree } from "../coordinate-descent/unit-tree.ts";
import { isShared } from "../frank-wolfe/relaxable.ts";
import type { TileTables } from "../out-of-core/weight-tiles.ts";
import { Pauses } from "../search/pauses.ts";
import type { MatchedWeights } from "../weights/matched-weights.ts";
import { addColumns } from "./kernels/add-columns.ts";

/** Norms of the units of an occurrence in both networks, `[slots, units]`. */
export interface SideNorms {
  /** Norms of A's units, slot by slot. */
  readonly a: Float32Array;
  /** Norms of B's units in their unpermuted order, slot by slot. */
  readonly b: Float32Array;
  /** Number of slots: places that each unit has along the axis. */
  readonly slots: number;
}

/** The axis on which each weight is bounded, as norms of units and a constant. */
export interface Sides {
  /** Norms whose products are added to the costs of each member. */
  readonly ofMember: ReadonlyMap<Member, readonly SideNorms[]>;
  /** The most that weights and positions which no assignment moves can contribute. */
  readonly constant: number;
}

/**
 * Most units of a symmetry whose weights are all assigned together. Products of norms have low rank, which is
 * slow to assign; for larger symmetries weights are bounded one by one, which is a little less tight.
 */
export const MAX_JOINT = 1024;

interface MemberOccurrence {
  readonly member: Member;
  readonly occurrence: Occurrence;
}

/**
 * Bounds each weight on the axis whose norms give the least bound, and weights without such an axis by their
 * whole norms.
 */
export async function chooseSides(
  problem: DescentProblem,
  weights: MatchedWeights,
  signal: AbortSignal | undefined,
): Promise<Sides> {
  const ofMember = new Map<Member, SideNorms[]>();
  const held = new Set<string>();
  const pauses = new Pauses(signal);
  let constant = 0;
  for (const [tensor, layout] of problem.spec.weights) {
    if (!votes(layout)) continue;
    await pauses.before(sizeOf(layout.view));
    const occurrences = occurrencesOf(problem, tensor);
    if (occurrences.length === 0) {
      held.add(tensor);
      continue;
    }
    const side = await bestSide(problem, weights, { weight: { tensor, layout }, occurrences });
    if (side === undefined) {
      const { a, b } = entry(weights.norms, tensor, "weight");
      constant += a * b;
      continue;
    }
    constant += side.still;
    for (const [member, norms] of side.norms) {
      if (norms.a.length > MAX_JOINT * norms.slots) constant += sortedProduct(norms.a, norms.b);
      else ofMember.set(member, [...(ofMember.get(member) ?? []), norms]);
    }
  }
  // Weights that no assignment moves keep their present contribution.
  constant += await weights.objective(problem.expander.expand(problem.start), true, held);
  return { ofMember, constant };
}

/** Lists the occurrences in a weight of members that may move. */
function occurrencesOf({ matchers }: DescentProblem, tensor: string): MemberOccurrence[] {
  return matchers
    .filter(({ held }) => !held)
    .flatMap(({ occurrences }) =>
      [...occurrences].flatMap(([member, all]) =>
        all
          .filter((occurrence) => occurrence.tensor === tensor)
          .map((occurrence): MemberOccurrence => ({ member, occurrence })),
      ),
    );
}

interface MeasuredSide {
  /**
   * Norms for the costs of members; empty if the costs of the member include the occurrence already, exactly.
   */
  readonly norms: readonly (readonly [Member, SideNorms])[];
  /** Contribution of positions that hold no unit. */
  readonly still: number;
  /** Bound by this axis alone, for comparing axes. */
  readonly estimate: number;
}

/**
 * Creates a filter of occurrences whose other side stays in place, so that their contribution is known
 * exactly.
 */
export function whoseRestIsHeld({ matchers }: DescentProblem): (occurrence: Occurrence) => boolean {
  return ({ dependsOn, coupled, entangled }) =>
    !coupled && !entangled && [...dependsOn].every((block) => at(matchers, block, "block").held);
}

async function bestSide(
  problem: DescentProblem,
  weights: MatchedWeights,
  {
    weight,
    occurrences,
  }: { readonly weight: NamedLayout; readonly occurrences: readonly MemberOccurrence[] },
): Promise<MeasuredSide | undefined> {
  const { tree } = problem;
  const isExact = whoseRestIsHeld(problem);
  let best: MeasuredSide | undefined;
  for (const moving of new Set(occurrences.map(({ occurrence }) => occurrence.moving))) {
    const side = occurrences.filter(({ occurrence }) => occurrence.moving === moving);
    const component = at(at(side, 0, "occurrence").occurrence.components, moving, "component");
    if (!isClean(tree, side, component.size)) continue;
    const exact = side.every(({ occurrence }) => isExact(occurrence));
    const measured = measureSide(side, await positionSums(weights, weight, component), exact);
    if (exact) return measured;
    if (best === undefined || measured.estimate < best.estimate) best = measured;
  }
  return best;
}

/** Checks that every position holds at most one unit, and moves with units of one block only. */
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
  // Products are computed with B in its present order, which is valid only if nothing else moves in the
  // weight.
  const fixed = side.every(({ occurrence }) => isFixed(occurrence));
  const held = new Uint8Array(sums.a.length);
  const norms = side.map(({ member, occurrence }): [Member, SideNorms] => {
    const { positions, slots } = occurrence;
    const units = positions.length / slots;
    for (const position of positions) held[position] = 1;
    const bySlot = (norm: Float64Array) =>
      Float32Array.from(positions, (_, i) =>
        at(norm, at(positions, (i % units) * slots + Math.floor(i / units), "slot"), "position"),
      );
    return [member, { a: bySlot(sums.a), b: bySlot(sums.b), slots }];
  });
  let still = 0;
  held.forEach((isHeld, position) => {
    if (isHeld !== 0) return;
    still += fixed
      ? at(sums.product, position, "position")
      : at(sums.a, position, "position") * at(sums.b, position, "position");
  });
  const estimate = norms.reduce((sum, [, { a, b }]) => sum + sortedProduct(a, b), still);
  return { norms: exact ? [] : norms, still, estimate };
}

/** Computes the greatest sum of products of pairs (rearrangement inequality). */
export function sortedProduct(a: Float32Array, b: Float32Array): number {
  const [left, right] = [a.slice().sort(), b.slice().sort()];
  return left.reduce((sum, value, i) => sum + value * at(right, i, "norm"), 0);
}

/** A weight of a specification. */
interface NamedLayout {
  readonly tensor: string;
  readonly layout: WeightLayout;
}

/** Sums over the elements at each position of some axes of a weight, `[positions]` each. */
interface PositionSums {
  /** Norms of A and B. */
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** Inner products of A and unpermuted B. */
  readonly product: Float64Array;
}

/** Measures a weight along some of its axes, tile by tile. */
async function positionSums(
  { tiles, tileElements }: MatchedWeights,
  { tensor, layout }: NamedLayout,
  component: LayoutComponent,
): Promise<PositionSums> {
  const strides = stridesOf(layout.view);
  const others = layout.view.flatMap((_, axis) => (component.axes.includes(axis) ? [] : [axis]));
  const along = (axes: readonly number[]) => axisOffsets(layout.view, strides, axes);
  const moving = along(component.axes);
  const leads = component.axes[0] === 0;
  const [first, ...rest] = leads ? [] : others;
  const lead = leads ? moving : along(first === undefined ? [] : [first]);
  const inner = leads ? others.map((axis) => along([axis])) : [...rest.map((axis) => along([axis])), moving];
  const perLead = inner.reduce((product, table) => product * table.length, 1);
  const step = Math.max(1, Math.min(lead.length, Math.floor(tileElements / perLead)));
  const sums = { a: new Float64Array(moving.length), b: new Float64Array(moving.length) };
  const product = new Float64Array(moving.length);
  for (let from = 0; from < lead.length; from += step) {
    const tables: TileTables = { lead: lead.subarray(from, from + step), rest: inner };
    const a = await tiles.a.read(tensor, layout, tables, true);
    const b = await tiles.b.read(tensor, layout, tables, true);
    const place = leads ? { from, run: perLead } : { from: 0, run: 0 };
    addProducts(a, a, sums.a, place);
    addProducts(b, b, sums.b, place);
    addProducts(a, b, product, place);
  }
  return { a: sums.a.map(Math.sqrt), b: sums.b.map(Math.sqrt), product };
}

/**
 * Adds products to their positions: runs of elements of one position each, or rows over all positions (`run`
 * 0).
 */
function addProducts(
  a: Float32Array,
  b: Float32Array,
  out: Float64Array,
  { from, run }: { readonly from: number; readonly run: number },
): void {
  if (run === 0) {
    addColumns(a, b, out);
    return;
  }
  for (let begin = 0, position = from; begin < a.length; begin += run, position++) {
    const part = (data: Float32Array) => ({ dtype: "f32" as const, data: data.subarray(begin, begin + run) });
    out[position] = at(out, position, "position") + dot(part(a), part(b));
  }
}

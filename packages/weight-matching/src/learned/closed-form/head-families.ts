import { at } from "@isthmus/core";
import type { Symmetry, SymmetrySpec } from "@isthmus/symmetry";
import { solveAssignment } from "../../assignment/solve-assignment.ts";
import { isComplex } from "../matrices/complex-numbers.ts";
import type { StreamFrame } from "../stream-frame.ts";
import { headOfRows, queriesOfUnits, rowsBySpace } from "./space-rows.ts";

/** A symmetry whose units carry cells that are mixed, as attention heads carry their inner dimensions. */
export interface HeadFamily {
  /**
   * The heads: the key-value heads if several heads of queries share one; absent if all heads of queries
   * share a single one.
   */
  readonly heads: Symmetry | undefined;
  /** Symmetries of the inner dimensions: a mixed cell for each head. */
  readonly inner: readonly Symmetry[];
  /** Index of the space of each head's cell, for each inner symmetry. */
  readonly spaces: readonly Int32Array[];
  /** Index of the space of each head, for each pair that a rotary embedding turns. */
  readonly pairs: readonly Int32Array[];
  /** The heads of queries that share each head; absent if each has its own. */
  readonly queries: Symmetry | undefined;
}

/**
 * Finds the symmetries whose units carry cells that may be mixed, and at most heads of queries beside them.
 */
export function findHeads(spec: SymmetrySpec, frame: StreamFrame): HeadFamily[] {
  const { symmetries } = spec;
  const { mixing } = frame.symmetries;
  const spaceOf = new Map(mixing.spaces.map((space, index) => [`${space.symmetry} ${space.cell}`, index]));
  return symmetries.flatMap((heads): HeadFamily[] => {
    if (heads.cells.length !== 1) return [];
    const carried = symmetries.filter(({ cells }) => cells.some((units) => units.some(isUnitOf(heads))));
    if (carried.length === 0) return multiQuery(spec, frame, heads);
    if (!carried.every((symmetry) => hasCellPerUnit(symmetry, heads))) return [];
    const spacesOf = (symmetry: Symmetry) => {
      const places = Int32Array.from({ length: heads.size }, (_, head) => cellOf(symmetry, heads, head));
      return places.map((cell) => spaceOf.get(`${symmetry.name} ${cell}`) ?? -1);
    };
    const inner = carried.filter((symmetry) => spacesOf(symmetry).every((space) => space >= 0));
    const [queries, ...others] = carried.filter((symmetry) => !inner.includes(symmetry));
    if (inner.length === 0 || others.length > 0) return [];
    const isNested =
      queries !== undefined && symmetries.some(({ cells }) => cells.flat().some(isUnitOf(queries)));
    if (isNested) return [];
    return [{ heads, inner, spaces: inner.map(spacesOf), pairs: pairsOfHeads(spec, frame, heads), queries }];
  });
}

/** Returns the family of heads of queries that share their only head of keys and values, if they do. */
function multiQuery(spec: SymmetrySpec, frame: StreamFrame, queries: Symmetry): HeadFamily[] {
  const queryOf = queriesOfUnits(spec, queries);
  // No unit follows the hidden units of an MLP: they are no heads.
  if (queryOf.size === 0) return [];
  const shared = rowsBySpace(frame).flatMap((rows, space) => {
    const heads = new Set(rows.map((one) => headOfRows(spec, queryOf, one)));
    heads.delete(-1);
    return heads.size === queries.size ? [space] : [];
  });
  if (shared.length === 0) return [];
  const isPair = (space: number) => isComplex(at(frame.symmetries.mixing.spaces, space, "space").group);
  // There is one head only, so each list names one space.
  const listed = (spaces: readonly number[]) => spaces.map((space) => Int32Array.of(space));
  const spaces = listed(shared.filter((space) => !isPair(space)));
  return [{ heads: undefined, inner: [], spaces, pairs: listed(shared.filter(isPair)), queries }];
}

/** Collects the names of symmetries that are mixed, or carry mixed cells. */
export function settledSymmetries(spec: SymmetrySpec, frame: StreamFrame): Set<string> {
  const settled = new Set(frame.symmetries.mixing.spaces.map(({ symmetry }) => symmetry));
  for (const { heads, inner, queries } of findHeads(spec, frame)) {
    for (const symmetry of [heads, ...inner, queries]) if (symmetry !== undefined) settled.add(symmetry.name);
  }
  return settled;
}

function isUnitOf({ firstUnit, size, cells }: Symmetry): (unit: number) => boolean {
  return (unit) => unit >= firstUnit && unit < firstUnit + size * cells.length;
}

/** Checks whether a symmetry has one cell for each unit of a plain symmetry, and carried by it alone. */
function hasCellPerUnit({ cells }: Symmetry, plain: Symmetry): boolean {
  return (
    cells.length === plain.size && cells.every((units) => units.length === 1 && units.every(isUnitOf(plain)))
  );
}

/** Returns the number of the cell that a head carries. */
function cellOf({ cells }: Symmetry, { firstUnit }: Symmetry, head: number): number {
  return cells.findIndex(([unit]) => unit === firstUnit + head);
}

/** Finds the assignment with the largest sum of gains, `[size, size]`: for each head of A the head of B. */
export function bestAssignment(gains: Float32Array, size: number): Int32Array {
  return solveAssignment({ rows: size, columns: size, data: gains }, { maximize: true }).assignment;
}

/**
 * Writes into a permutation that head `from[head]` goes to each head, its inner dimensions in their order,
 * and that its heads of queries go to the places that an assignment for each head says.
 *
 * @param queriesFrom - for each head, for each of its heads of queries, which one of B's head goes there
 */
export function placeHeadsInto(
  { heads, inner, queries }: HeadFamily,
  from: Int32Array,
  queriesFrom: readonly Int32Array[],
  source: Int32Array,
): void {
  if (heads === undefined) {
    const [order] = queriesFrom;
    if (queries === undefined || order === undefined) return;
    order.forEach((taken, unit) => {
      source[queries.firstUnit + unit] = queries.firstUnit + taken;
    });
    return;
  }
  from.forEach((taken, head) => {
    source[heads.firstUnit + head] = heads.firstUnit + taken;
    const place = (symmetry: Symmetry, orderOf: (unit: number) => number) => {
      const [to, take] = [head, taken].map((which) => {
        return symmetry.firstUnit + cellOf(symmetry, heads, which) * symmetry.size;
      });
      for (let unit = 0; unit < symmetry.size; unit++)
        source[(to as number) + unit] = (take as number) + orderOf(unit);
    };
    for (const symmetry of inner) place(symmetry, (unit) => unit);
    if (queries !== undefined)
      place(queries, (unit) => at(at(queriesFrom, head, "head"), unit, "head of queries"));
  });
}

/**
 * Finds the pairs of a rotary embedding that each head carries: for each pair of a head the index of the
 * space of each head. Empty if heads carry no pairs, or different numbers of them.
 */
function pairsOfHeads(spec: SymmetrySpec, frame: StreamFrame, heads: Symmetry): Int32Array[] {
  const { spaces } = frame.symmetries.mixing;
  const headOf = headsOfUnits(spec, heads);
  const carried = Array.from({ length: heads.size }, (): number[] => []);
  rowsBySpace(frame).forEach((rows, space) => {
    if (!isComplex(at(spaces, space, "space").group)) return;
    const [head = -1, ...others] = new Set(rows.map((one) => headOfRows(spec, headOf, one)));
    if (head >= 0 && others.length === 0) at(carried, head, "head").push(space);
  });
  const count = at(carried, 0, "head").length;
  if (carried.some((list) => list.length !== count)) return [];
  return Array.from({ length: count }, (_, pair) =>
    Int32Array.from(carried, (list) => at(list, pair, "space")),
  );
}

/** Finds the head that each unit belongs to, nested or following. */
function headsOfUnits({ symmetries, followers }: SymmetrySpec, heads: Symmetry): Map<number, number> {
  const headOf = new Map<number, number>();
  for (let head = 0; head < heads.size; head++) headOf.set(heads.firstUnit + head, head);
  const nest = (parents: readonly number[], units: readonly number[]) => {
    const head = parents.map((parent) => headOf.get(parent)).find((one) => one !== undefined);
    if (head !== undefined) for (const unit of units) headOf.set(unit, head);
  };
  for (const { firstUnit, size, cells } of symmetries) {
    cells.forEach((parents, cell) => {
      nest(
        parents,
        Array.from({ length: size }, (_, i) => firstUnit + cell * size + i),
      );
    });
  }
  for (const { firstUnit, parents } of followers) {
    parents.forEach((list, i) => {
      nest(list, [firstUnit + i]);
    });
  }
  return headOf;
}

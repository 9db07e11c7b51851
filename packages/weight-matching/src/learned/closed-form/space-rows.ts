import { at, entry } from "@isthmus/core";
import type { Occurrence, Symmetry, SymmetrySpec } from "@isthmus/symmetry";
import { positionIn } from "@isthmus/symmetry/layout";
import type { StreamFrame } from "../stream-frame.ts";

/** Rows of a space in a weight. */
export interface SpaceRows {
  /** Name of the weight that the rows lie in. */
  readonly weight: string;
  /** Place of the rows in the weight: first element of each, offsets inside a row, and the space. */
  readonly occurrence: Occurrence;
}

/** Lists the rows in which each space lies, `[spaces]`. */
export function rowsBySpace({ symmetries, occurrences }: StreamFrame): SpaceRows[][] {
  const rows = symmetries.mixing.spaces.map((): SpaceRows[] => []);
  for (const [weight, ofWeight] of occurrences) {
    for (const occurrence of ofWeight) at(rows, occurrence.space, "space").push({ weight, occurrence });
  }
  return rows;
}

/** Finds which head of queries, inside its group if it is in one, each unit follows. */
export function queriesOfUnits(
  { followers }: SymmetrySpec,
  { firstUnit, size, cells }: Symmetry,
): Map<number, number> {
  const queryOf = new Map<number, number>();
  const isQuery = (unit: number) => unit >= firstUnit && unit < firstUnit + size * cells.length;
  for (const family of followers) {
    family.parents.forEach((parents, i) => {
      const unit = parents.find(isQuery);
      if (unit !== undefined) queryOf.set(family.firstUnit + i, (unit - firstUnit) % size);
    });
  }
  return queryOf;
}

/**
 * Returns the head that all rows of a space in a weight belong to; -1 if they belong to none.
 * @param headOf - the head of each unit that has one
 */
export function headOfRows(
  { weights }: SymmetrySpec,
  headOf: ReadonlyMap<number, number>,
  { weight, occurrence: { bases } }: SpaceRows,
): number {
  const { view, fields } = entry(weights, weight, "weight");
  for (const { axes, units } of fields) {
    const places = Array.from(bases, positionIn(view, axes));
    // A field across the rows has the same place for all of them.
    if (new Set(places).size !== bases.length) continue;
    const heads = new Set(places.map((place) => headOf.get(at(units, place, "place")) ?? -1));
    const [head = -1, ...others] = heads;
    if (others.length === 0 && head >= 0) return head;
  }
  return -1;
}

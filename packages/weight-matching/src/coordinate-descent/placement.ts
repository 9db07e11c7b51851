import { MismatchError } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/graph";

/**
 * An alignment as choices: for each symmetry, which unit of its source cell takes each place, as an index in
 * the cell, `[cells * size]`. Which cell is the source follows from the parents, so any choices are valid.
 */
export type Placement = readonly Int32Array[];

/** Every unit in its own place. */
export function identityPlacement(spec: SymmetrySpec): Int32Array[] {
  return spec.symmetries.map(({ cells, size }) =>
    Int32Array.from({ length: cells.length * size }, (_, i) => i % size),
  );
}

/** Finds the whole alignment that choices determine, parents before children. */
export interface PlacementExpander {
  /** Returns the source of every unit, `[units]`. */
  expand(placement: Placement): Int32Array;
}

interface Family {
  readonly firstUnit: number;
  /** Units in each cell; 1 for followers. */
  readonly size: number;
  readonly cells: readonly (readonly number[])[];
  /** Index of the symmetry, or -1 for followers. */
  readonly symmetry: number;
  /** Cell by its only parent, where every cell has one; else by the parents' numbers joined. */
  readonly cellOf: ReadonlyMap<number | string, number>;
}

/** Prepares {@link PlacementExpander.expand} for one specification. */
export function createPlacementExpander(spec: SymmetrySpec): PlacementExpander {
  const families = sortFamilies([
    ...spec.symmetries.map((symmetry, index) => createFamily(symmetry, index)),
    ...spec.followers.map(({ firstUnit, parents }) =>
      createFamily({ firstUnit, size: 1, cells: parents }, -1),
    ),
  ]);
  return {
    expand(placement) {
      const source = new Int32Array(spec.units);
      for (const family of families) placeFamily(family, placement[family.symmetry], source);
      return source;
    },
  };
}

function createFamily(
  { firstUnit, size, cells }: Pick<Family, "firstUnit" | "size" | "cells">,
  symmetry: number,
): Family {
  return {
    firstUnit,
    size,
    cells,
    symmetry,
    cellOf: new Map(cells.map((parents, cell) => [keyOf(parents), cell])),
  };
}

function keyOf(parents: readonly number[]): number | string {
  return parents.length === 1 ? (parents[0] ?? 0) : parents.join();
}

/** Orders families so that parents come before those whose cells they own. */
function sortFamilies(families: readonly Family[]): Family[] {
  const byUnit = [...families].sort((a, b) => a.firstUnit - b.firstUnit);
  const familyOf = (unit: number) => byUnit.findLast(({ firstUnit }) => firstUnit <= unit);
  const sorted = new Set<Family>();
  const visit = (family: Family): void => {
    if (sorted.has(family)) return;
    const parents = new Set<Family>();
    for (const unit of family.cells[0] ?? []) {
      const parent = familyOf(unit);
      if (parent !== undefined) parents.add(parent);
    }
    for (const parent of parents) visit(parent);
    sorted.add(family);
  };
  for (const family of families) visit(family);
  return [...sorted];
}

function placeFamily(family: Family, choice: Int32Array | undefined, source: Int32Array): void {
  const { firstUnit, size, cells, cellOf } = family;
  for (let cell = 0; cell < cells.length; cell++) {
    const parents = cells[cell] ?? [];
    const from = cellOf.get(keyOf(parents.map((unit) => source[unit] ?? -1)));
    if (from === undefined) {
      throw new MismatchError(
        `Cannot align as cell ${cell} of the units from ${firstUnit} on must have a counterpart under its permuted parents: the specification has none`,
        { parameters: [] },
      );
    }
    for (let i = 0; i < size; i++) {
      const place = cell * size + i;
      source[firstUnit + place] = firstUnit + from * size + (choice?.[place] ?? 0);
    }
  }
}

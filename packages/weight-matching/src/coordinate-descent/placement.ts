import { at, entry } from "@isthmus/core";
import type { Alignment, SymmetrySpec } from "@isthmus/symmetry";
import { createUnitCompleter } from "@isthmus/symmetry/layout";

/**
 * An alignment as choices: for each symmetry, which unit of its source cell takes each place, as an index in
 * the cell, `[cells * size]`. Which cell is the source follows from the parents, so any choices are valid.
 */
export type Placement = readonly Int32Array[];

/** Returns the placement that leaves every unit in its place. */
export function identityPlacement(spec: SymmetrySpec): Int32Array[] {
  return spec.symmetries.map(({ cells, size }) =>
    new Int32Array(cells.length * size).map((_, i) => i % size),
  );
}

/** Returns the choices that an alignment makes. */
export function placementOf(spec: SymmetrySpec, { source }: Alignment): Int32Array[] {
  return spec.symmetries.map(({ cells, size, firstUnit }) =>
    Int32Array.from(
      { length: cells.length * size },
      (_, i) => (at(source, firstUnit + i, "unit") - firstUnit) % size,
    ),
  );
}

/** A function from choices to the whole alignment that they determine. */
export interface PlacementExpander {
  /** Returns the source of every unit, `[units]`. */
  expand(placement: Placement): Int32Array;
}

/** Prepares {@link PlacementExpander.expand} for one specification. */
export function createPlacementExpander(spec: SymmetrySpec): PlacementExpander {
  const complete = createUnitCompleter(spec);
  const indexOf = new Map(spec.symmetries.map((symmetry, index) => [symmetry, index]));
  return {
    expand(placement) {
      const { source } = complete((symmetry, cell) => {
        const choices = at(placement, entry(indexOf, symmetry, "symmetry"), "symmetry");
        return choices.subarray(cell * symmetry.size, (cell + 1) * symmetry.size);
      });
      return source;
    },
  };
}

import { at } from "@isthmus/core";
import type { Symmetry, SymmetrySpec } from "../spec.ts";

/**
 * The plain symmetries of a specification, and their unit that every unit belongs to: itself, or the unit
 * that it is nested in or follows. A pair of units is merged or kept apart with all units nested in it.
 */
export interface UnitRoots {
  /** Symmetries without parents, by position in the specification. */
  readonly plain: readonly number[];
  /**
   * Unit of a plain symmetry that each unit belongs to, or -1 if it has parents in several symmetries,
   * `[units]`.
   */
  readonly rootOf: Int32Array;
  /** Position of the plain symmetry of each root; -1 for units that are no roots, `[units]`. */
  readonly symmetryOf: Int32Array;
  /**
   * Positions of plain symmetries that units of one family share, so that no unit of them is a root alone.
   */
  readonly shared: ReadonlySet<number>;
}

/** Finds the unit of a plain symmetry that every unit of a specification moves with. */
export function findUnitRoots({ symmetries, followers, units }: SymmetrySpec): UnitRoots {
  const rootOf = new Int32Array(units).fill(-1);
  const symmetryOf = new Int32Array(units).fill(-1);
  const plain: number[] = [];
  const shared = new Set<number>();
  const rootOfParents = (parents: readonly number[]): number => {
    const roots = new Set(parents.map((parent) => at(rootOf, parent, "unit")));
    const [root = -1] = roots;
    if (roots.size === 1) return root;
    for (const unit of roots) if (unit >= 0) shared.add(at(symmetryOf, unit, "unit"));
    return -1;
  };
  symmetries.forEach((symmetry, index) => {
    const isPlain = isPlainSymmetry(symmetry);
    if (isPlain) plain.push(index);
    symmetry.cells.forEach((parents, cell) => {
      const parent = isPlain ? -1 : rootOfParents(parents);
      for (let i = 0; i < symmetry.size; i++) {
        const unit = symmetry.firstUnit + cell * symmetry.size + i;
        rootOf[unit] = isPlain ? unit : parent;
        if (isPlain) symmetryOf[unit] = index;
      }
    });
  });
  for (const { firstUnit, parents } of followers) {
    parents.forEach((list, i) => {
      rootOf[firstUnit + i] = rootOfParents(list);
    });
  }
  return { plain, rootOf, symmetryOf, shared };
}

/** Checks whether a symmetry has one cell of units that are nested in no others. */
function isPlainSymmetry({ cells }: Symmetry): boolean {
  return cells.length === 1 && cells[0]?.length === 0;
}

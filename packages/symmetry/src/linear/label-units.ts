import type { Symmetries } from "../derive-spec.ts";

/** Returns the unit that a label stands for, or -1 if the label may not move. */
export function unitOf({ group, units }: Symmetries, label: number): number {
  return units.unitOf[group.classes.classOf[label] as number] as number;
}

/** Creates a function that checks whether a label stands for a unit that does not merely follow others. */
export function isMovable(permutations: Symmetries): (label: number) => boolean {
  const { spec } = permutations;
  const movable = spec.followers[0]?.firstUnit ?? spec.units;
  return (label) => {
    const unit = unitOf(permutations, label);
    return unit >= 0 && unit < movable;
  };
}

/** Number of the cell of units that merely follow others, which may be any cell. */
export const FOLLOWING = -2;

/** Returns the number of the cell that the unit of each label is in, {@link FOLLOWING}, or -1. */
export function cellsOfLabels(permutations: Symmetries): Int32Array {
  const { spec, labels } = permutations;
  const cellOfUnit = new Int32Array(spec.units).fill(FOLLOWING);
  let cells = 0;
  for (const symmetry of spec.symmetries) {
    const end = symmetry.firstUnit + symmetry.size * symmetry.cells.length;
    for (let unit = symmetry.firstUnit; unit < end; unit += symmetry.size) {
      cellOfUnit.fill(cells++, unit, unit + symmetry.size);
    }
  }
  return Int32Array.from({ length: labels.store.count }, (_, label) => {
    const unit = unitOf(permutations, label);
    return unit < 0 ? -1 : (cellOfUnit[unit] as number);
  });
}

import { MismatchError } from "@isthmus/core";
import type { Alignment } from "./alignment.ts";
import type { Symmetry, SymmetrySpec } from "./spec.ts";

/**
 * Builds an alignment symmetry by symmetry, parents before children: a place whose parents are taken by certain
 * units is filled from the cell of those units.
 *
 * @param arrange - for each cell the places of the source cell in order, `[size]`, a permutation of `0 .. size - 1`
 * @throws MismatchError if a cell's parents are taken by units that have no cell in common
 */
export function completeUnits(
  spec: SymmetrySpec,
  arrange: (symmetry: Symmetry, cell: number) => Int32Array,
): Alignment {
  const source = new Int32Array(spec.units);
  for (const symmetry of spec.symmetries) {
    const { firstUnit, size, cells, name } = symmetry;
    const cellOf = indexParents(cells);
    cells.forEach((parents, cell) => {
      const from = sourceCell(cellOf, parents, source, name);
      const order = arrange(symmetry, cell);
      for (let i = 0; i < size; i++) {
        source[firstUnit + cell * size + i] = firstUnit + from * size + (order[i] as number);
      }
    });
  }
  return completeFollowers(spec, source);
}

/**
 * Completes a permutation of the units of all symmetries by where their followers go.
 *
 * @param source - `[units]` or shorter; only units of symmetries are read
 * @throws MismatchError if followers' parents are taken by units that no follower has
 */
export function completeFollowers(spec: SymmetrySpec, source: ArrayLike<number>): Alignment {
  const completed = new Int32Array(spec.units);
  const free = spec.followers[0]?.firstUnit ?? spec.units;
  for (let unit = 0; unit < free; unit++) completed[unit] = source[unit] ?? 0;
  for (const { firstUnit, parents } of spec.followers) {
    const unitOf = indexParents(parents);
    parents.forEach((list, i) => {
      completed[firstUnit + i] = firstUnit + sourceCell(unitOf, list, completed, "followers");
    });
  }
  return { source: completed };
}

/** Looks cells up by their parents. */
export function indexParents(cells: readonly (readonly number[])[]): ReadonlyMap<string, number> {
  return new Map(cells.map((parents, index) => [parents.join(), index]));
}

/**
 * The cell whose parents take the places of the given ones.
 * @throws MismatchError if there is none
 */
export function sourceCell(
  cellOf: ReadonlyMap<string, number>,
  parents: readonly number[],
  source: Int32Array,
  name: string,
): number {
  const wanted = parents.map((parent) => source[parent] ?? -1).join();
  const cell = cellOf.get(wanted);
  if (cell !== undefined) return cell;
  throw new MismatchError(
    `Cannot complete an alignment as cells must move with their parents: no cell of ${name} has parents ${wanted}`,
    { parameters: [name] },
  );
}

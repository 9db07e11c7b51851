import { at, MismatchError } from "@isthmus/core";
import type { Alignment } from "./alignment.ts";
import type { Symmetry, SymmetrySpec } from "./spec.ts";

/**
 * Chooses the order in which a cell of a symmetry is filled: places within the source cell, `[size]`, a
 * permutation of `0 .. size - 1`.
 */
export type Arrange = (symmetry: Symmetry, cell: number) => Int32Array;

/**
 * Builds an alignment symmetry by symmetry, parents before children: a place whose parents are taken by
 * certain units is filled from the cell that has these units as parents.
 *
 * @param arrange - order in which each cell is filled from its source cell
 * @throws MismatchError if a cell's parents are taken by units that have no cell in common
 */
export function completeUnits(spec: SymmetrySpec, arrange: Arrange): Alignment {
  return createUnitCompleter(spec)(arrange);
}

/** Prepares {@link completeUnits} for building many alignments of one specification. */
export function createUnitCompleter(spec: SymmetrySpec): (arrange: Arrange) => Alignment {
  const symmetries = spec.symmetries.map((symmetry) => ({ symmetry, cellOf: indexParents(symmetry.cells) }));
  const fillFollowers = createFollowerFiller(spec);
  return (arrange) => {
    const source = new Int32Array(spec.units);
    for (const { symmetry, cellOf } of symmetries) {
      const { firstUnit, size, cells, name } = symmetry;
      cells.forEach((parents, cell) => {
        const from = sourceCell(cellOf, parents, source, name);
        const order = arrange(symmetry, cell);
        for (let i = 0; i < size; i++) {
          source[firstUnit + cell * size + i] = firstUnit + from * size + (order[i] as number);
        }
      });
    }
    fillFollowers(source);
    return { source };
  };
}

/**
 * Completes a permutation of the units of all symmetries with the places of their followers.
 *
 * @param source - `[units]` or shorter; only units of symmetries are read
 * @throws MismatchError if followers' parents are taken by units that no follower has
 */
export function completeFollowers(spec: SymmetrySpec, source: ArrayLike<number>): Alignment {
  const completed = new Int32Array(spec.units);
  const free = spec.followers[0]?.firstUnit ?? spec.units;
  for (let unit = 0; unit < free; unit++) completed[unit] = at(source, unit, "unit");
  createFollowerFiller(spec)(completed);
  return { source: completed };
}

/**
 * Prepares a function that writes the followers into a permutation in which only the units of symmetries are
 * set.
 */
function createFollowerFiller(spec: SymmetrySpec): (source: Int32Array) => void {
  const families = spec.followers.map((family) => ({ ...family, unitOf: indexParents(family.parents) }));
  return (source) => {
    for (const { firstUnit, parents, unitOf } of families) {
      parents.forEach((list, i) => {
        source[firstUnit + i] = firstUnit + sourceCell(unitOf, list, source, "followers");
      });
    }
  };
}

/** Numbers of cells by the parents of each. */
type ParentIndex = ReadonlyMap<number | string, number>;

/** Indexes cells by their parents. */
export function indexParents(cells: readonly (readonly number[])[]): ParentIndex {
  return new Map(cells.map((parents, index) => [keyOf(parents), index]));
}

/**
 * Returns an only parent itself, so that most specifications need no strings, and several parents as a list.
 */
function keyOf(parents: readonly number[]): number | string {
  return parents.length === 1 ? at(parents, 0, "parent") : parents.join();
}

/**
 * Finds the cell whose parents take the places of some parents.
 * @param name - the symmetry, for the message
 * @throws MismatchError if no cell has these parents
 */
export function sourceCell(
  cellOf: ParentIndex,
  parents: readonly number[],
  source: Int32Array,
  name: string,
): number {
  const key = keyOf(parents.map((parent) => at(source, parent, "unit")));
  const cell = cellOf.get(key);
  if (cell !== undefined) return cell;
  throw new MismatchError(
    `Cannot complete an alignment as cells must move with their parents: no cell of ${name} has parents ${key}`,
    { parameters: [name] },
  );
}

import { MismatchError } from "@isthmus/core";
import type { Alignment } from "./alignment.ts";
import type { Symmetry, SymmetrySpec } from "./spec.ts";

/** The places of the source cell in order for a cell of a symmetry, `[size]`, a permutation of `0 .. size - 1`. */
export type Arrange = (symmetry: Symmetry, cell: number) => Int32Array;

/**
 * Builds an alignment symmetry by symmetry, parents before children: a place whose parents are taken by certain
 * units is filled from the cell of those units.
 *
 * @param arrange - how each cell is filled from its source cell
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
 * Completes a permutation of the units of all symmetries by where their followers go.
 *
 * @param source - `[units]` or shorter; only units of symmetries are read
 * @throws MismatchError if followers' parents are taken by units that no follower has
 */
export function completeFollowers(spec: SymmetrySpec, source: ArrayLike<number>): Alignment {
  const completed = new Int32Array(spec.units);
  const free = spec.followers[0]?.firstUnit ?? spec.units;
  for (let unit = 0; unit < free; unit++) completed[unit] = source[unit] ?? 0;
  createFollowerFiller(spec)(completed);
  return { source: completed };
}

/** Prepares writing where followers go into a permutation of which only the symmetries' units are known. */
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

/** Cells by their parents. */
type ParentIndex = ReadonlyMap<number | string, number>;

/** Looks cells up by their parents. */
export function indexParents(cells: readonly (readonly number[])[]): ParentIndex {
  return new Map(cells.map((parents, index) => [keyOf(parents), index]));
}

/** The only parent itself, which spares most specifications all strings; several as a list. */
function keyOf(parents: readonly number[]): number | string {
  return parents.length === 1 ? (parents[0] as number) : parents.join();
}

/**
 * The cell whose parents take the places of the given ones.
 * @throws MismatchError if there is none
 */
export function sourceCell(
  cellOf: ParentIndex,
  parents: readonly number[],
  source: Int32Array,
  name: string,
): number {
  const wanted = keyOf(parents.map((parent) => source[parent] ?? -1));
  const cell = cellOf.get(wanted);
  if (cell !== undefined) return cell;
  throw new MismatchError(
    `Cannot complete an alignment as cells must move with their parents: no cell of ${name} has parents ${wanted}`,
    { parameters: [name] },
  );
}

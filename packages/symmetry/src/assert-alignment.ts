import { at, MismatchError } from "@isthmus/core";
import type { Alignment } from "./alignment.ts";
import { indexParents, sourceCell } from "./complete-units.ts";
import type { SymmetrySpec } from "./spec.ts";

/**
 * Checks that an alignment is an element of the symmetry group: a permutation that maps every cell onto the
 * cell that its parents determine, and takes every follower to the place that its parents determine.
 * @throws MismatchError if it is not; the message names the symmetry
 */
export function assertAlignment(spec: SymmetrySpec, { source }: Alignment): void {
  if (source.length !== spec.units) {
    fail(`it must have one entry for each of ${spec.units} units: it has ${source.length}`);
  }
  for (const { name, firstUnit, size, cells } of spec.symmetries) {
    const cellOf = indexParents(cells);
    cells.forEach((parents, cell) => {
      const from = firstUnit + sourceCell(cellOf, parents, source, name) * size;
      assertOnto(source, firstUnit + cell * size, from, { name, size });
    });
  }
  for (const { firstUnit, parents } of spec.followers) {
    const unitOf = indexParents(parents);
    parents.forEach((list, i) => {
      const expected = firstUnit + sourceCell(unitOf, list, source, "followers");
      const got = source[firstUnit + i];
      if (got !== expected) {
        fail(`unit ${firstUnit + i} must be taken by ${expected}, as its parents say: it is taken by ${got}`);
      }
    });
  }
}

function assertOnto(
  source: Int32Array,
  place: number,
  from: number,
  { name, size }: { readonly name: string; readonly size: number },
): void {
  const taken = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const index = at(source, place + i, "unit") - from;
    if (index < 0 || index >= size || taken[index] === 1) {
      fail(
        `"${name}" must permute the units of its cells: place ${place + i} is taken by ${source[place + i]}`,
        name,
      );
    }
    taken[index] = 1;
  }
}

function fail(rule: string, name?: string): never {
  throw new MismatchError(`Cannot use an alignment as ${rule}`, {
    parameters: name === undefined ? [] : [name],
  });
}

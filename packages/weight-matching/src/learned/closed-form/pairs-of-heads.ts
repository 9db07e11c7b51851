import { at } from "@isthmus/core";
import type { Symmetry, SymmetrySpec } from "@isthmus/symmetry";
import { isComplex } from "../matrices/complex-numbers.ts";
import type { StreamFrame } from "../stream-frame.ts";
import { headOfRows, rowsBySpace } from "./space-rows.ts";

/**
 * Finds the pairs of a rotary embedding that each head carries: for each pair of a head the index of the
 * space of each head. Empty if heads carry no pairs, or different numbers of them.
 */
export function pairsOfHeads(spec: SymmetrySpec, frame: StreamFrame, heads: Symmetry): Int32Array[] {
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

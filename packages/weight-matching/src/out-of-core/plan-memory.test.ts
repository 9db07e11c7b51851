import { OutOfRangeError } from "@isthmus/core";
import type { Symmetry, SymmetrySpec } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { bytesForAssignment } from "../assignment/assignment-memory.ts";
import { createUnitTree } from "../coordinate-descent/unit-tree.ts";
import { planMemory } from "./plan-memory.ts";

/** Number of units of a plain symmetry, or of each cell of one whose cells belong to units from a number on. */
type Size = number | { readonly size: number; readonly cells: number; readonly parents: number };

/** A specification with these symmetries, and one weight of these extents that they vote by. */
function specOf(sizes: readonly Size[], view: readonly number[] = [8, 8]): SymmetrySpec {
  const symmetries: Symmetry[] = [];
  let units = 0;
  for (const [index, of] of sizes.entries()) {
    const { size, cells, parents } = typeof of === "number" ? { size: of, cells: 1, parents: -1 } : of;
    const parentsOf = Array.from({ length: cells }, (_, cell) => (parents < 0 ? [] : [parents + cell]));
    symmetries.push({ name: `symmetry ${index}`, size, cells: parentsOf, firstUnit: units, axes: [] });
    units += size * cells;
  }
  const field = { axes: [0], units: new Int32Array(view[0] ?? 0), ranks: new Int32Array(view[0] ?? 0) };
  const weight = { shape: view, view, role: "parameter" as const, fields: [field] };
  return { symmetries, units, followers: [], weights: new Map([["w", weight]]), frozen: [], unknown: [] };
}

function plan(spec: SymmetrySpec, bytes: number, held: readonly number[] = []) {
  return planMemory({ spec, tree: createUnitTree(spec), held: new Set(held) }, bytes);
}

const costsOf = (sizes: readonly Size[], held: readonly number[] = []) =>
  plan(specOf(sizes), 2 ** 34, held).costBytes;
/** Bytes of a matrix of costs. */
const square = (size: number) => 4 * size * size;
/** A symmetry of 3 units, each of which has 4 of its own. */
const NESTED: readonly Size[] = [3, { size: 4, cells: 3, parents: 0 }];

describe("planMemory()", () => {
  test("counts costs, their copies in the engine and the solver of the largest symmetry", () => {
    const expected = 2 * square(50) + bytesForAssignment(50, 50);
    expect(costsOf([50])).toBe(expected);
    // Symmetries that are matched one after another share their memory.
    expect(costsOf([50, 30])).toBe(expected);
    expect(costsOf([30, 50])).toBe(expected);
  });

  test("counts nothing for symmetries that are held", () => {
    expect(costsOf([50, 30], [0])).toBe(costsOf([30]));
    expect(costsOf([50, 30], [0, 1])).toBe(bytesForAssignment(0, 0));
  });

  test("counts all members of a block, values of those with units of their own, and a spare matrix", () => {
    const members = square(3) + square(12);
    // The solver for 4 units has no room for the widest matrix, of 12.
    const beside = square(3) + square(12) + square(12);
    expect(costsOf(NESTED)).toBe(members + beside + bytesForAssignment(4, 4));
    // The members of a block that is matched in part all have costs.
    expect(costsOf(NESTED, [1])).toBe(members + beside + bytesForAssignment(3, 3));
    expect(costsOf(NESTED, [0])).toBe(members + beside + bytesForAssignment(4, 4));
    // The solver for 12 units has.
    const roots = square(12) + square(12);
    expect(costsOf([...NESTED, 12])).toBe(roots + square(3) + square(12) + bytesForAssignment(12, 12));
  });

  test("holds tiles of 2^14 elements at least, or one row of the widest weight", () => {
    for (const [view, elements] of [
      [[8, 8], 2 ** 14],
      [[2, 20_000], 20_000],
    ] as const) {
      const spec = specOf([50], view);
      const { costBytes } = plan(spec, 2 ** 34);
      const least = costBytes + 24 * elements;
      expect(plan(spec, least)).toEqual({ tileElements: elements, cacheBytes: 0, costBytes });
      const refused = () => plan(spec, least - 1);
      expect(refused).toThrow(OutOfRangeError);
      expect(refused).toThrow(
        `Cannot match weights as memory must hold the costs of the largest symmetry: ${Math.ceil(least / 2 ** 20)} MiB are needed, ${Math.floor((least - 1) / 2 ** 20)} are given; give more, or skip the largest symmetries`,
      );
    }
    expect(() => plan(specOf([50]), Number.NaN)).toThrow(OutOfRangeError);
  });

  test("gives three quarters of the rest to tiles and to caches of both networks, in equal parts", () => {
    const { costBytes } = plan(specOf([50]), 2 ** 34);
    const rest = 2 ** 26;
    expect(plan(specOf([50]), costBytes + rest)).toEqual({
      costBytes,
      tileElements: Math.floor((0.75 * rest) / 2 / 24),
      cacheBytes: (0.75 * rest) / 4,
    });
    // Larger tiles would not be faster.
    expect(plan(specOf([50]), costBytes + 2 ** 34)).toEqual({
      costBytes,
      tileElements: 2 ** 24,
      cacheBytes: (0.75 * 2 ** 34 - 24 * 2 ** 24) / 2,
    });
  });
});

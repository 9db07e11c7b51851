import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assertAlignment } from "../assert-alignment.ts";
import { decodeSpec } from "../encode/decode-spec.ts";
import type { SymmetrySpec } from "../spec.ts";
import { trialAlignments } from "./trial-alignments.ts";

/** Plain symmetries of the given sizes, the first with nested ones of 2 in each of its units. */
function specOf(sizes: readonly number[]): SymmetrySpec {
  const symmetries = sizes.map((size, i) => ({ name: `s${i}`, size }));
  const nested = { name: "nested", size: 2, parents: [[[0, sizes[0]]]] };
  return decodeSpec({
    format: "isthmus-symmetries",
    version: 1,
    symmetries: [...symmetries, nested],
    weights: {},
  });
}

const sizes = fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 1, maxLength: 6 });

/** Where the units of a cell come from, counted from the first of its source cell. */
function orderOf(source: Int32Array, first: number, size: number): number[] {
  return Array.from(
    source.subarray(first, first + size),
    (unit) => unit - Math.min(...source.subarray(first, first + size)),
  );
}

/** First unit and size of every cell. */
function cellsOf({ symmetries }: SymmetrySpec): { first: number; size: number }[] {
  return symmetries.flatMap(({ firstUnit, size, cells }) =>
    cells.map((_, cell) => ({ first: firstUnit + cell * size, size })),
  );
}

const moves = (order: readonly number[]) => order.some((unit, i) => unit !== i);

describe("trialAlignments()", () => {
  test("trialAlignments() gives elements of the group, and moves every unit by the first", () => {
    fc.assert(
      fc.property(sizes, fc.nat(100), (own, seed) => {
        const spec = specOf(own);
        const [first, ...others] = trialAlignments(spec, { seed, shuffles: 2 });
        for (const alignment of others) assertAlignment(spec, alignment);
        if (first === undefined) throw new TypeError("there is no first");
        assertAlignment(spec, first);
        for (const { first: unit, size } of cellsOf(spec)) {
          const order = orderOf(first.source, unit, size);
          let at = 0;
          // A single cycle comes back to where it began after all units.
          for (let step = 1; step < size; step++) {
            at = order[at] ?? 0;
            expect(at).not.toBe(0);
          }
        }
      }),
    );
  });

  test("trialAlignments() moves one of any two cells of up to three units without the other", () => {
    fc.assert(
      fc.property(sizes, fc.nat(100), (own, seed) => {
        const spec = specOf(own);
        const tried = [...trialAlignments(spec, { seed, shuffles: 0 })];
        const tiny = cellsOf(spec).filter(({ size }) => size <= 3);
        const moved = tiny.map(({ first, size }) =>
          tried.map(({ source }) => moves(orderOf(source, first, size))).join(),
        );
        expect(new Set(moved).size).toBe(tiny.length);
      }),
    );
  });

  test("trialAlignments() leaves in place what is not to move", () => {
    const spec = specOf([4, 5, 2]);
    for (const { source } of trialAlignments(spec, { seed: 1, shuffles: 2, only: "s1" })) {
      const still = source.filter((unit, i) => unit === i && (i < 4 || i >= 9));
      expect(still).toHaveLength(spec.units - 5);
    }
  });
});

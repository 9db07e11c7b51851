import { at, borrowScratch, createRandom } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { forSortedRows } from "./sorted-rows.ts";
import { sortingNetwork } from "./sorting-network.ts";

function sortAll(values: readonly Float64Array[]): Float64Array[] {
  const out = values.map((one) => new Float64Array(one.length));
  forSortedRows(values, ({ rows, begin }) => {
    for (const [k, row] of rows.entries()) out[k]?.set(row, begin);
  });
  return out;
}

function sortColumns(values: readonly Float64Array[]): Float64Array[] {
  const out = values.map((one) => one.slice());
  for (let i = 0; i < at(values, 0).length; i++) {
    const column = Float64Array.from(values, (one) => at(one, i)).sort();
    for (const [k, one] of out.entries()) one[i] = at(column, k);
  }
  return out;
}

const makeValues = (points: number, elements: number, seed: number, isCoarse: boolean) => {
  const random = createRandom(seed);
  return Array.from({ length: points }, () =>
    // Coarse numbers are often equal; adding 0 leaves no -0, which sorts before 0 elsewhere.
    Float64Array.from({ length: elements }, () =>
      isCoarse ? Math.round(random.normal()) + 0 : random.normal(),
    ),
  );
};

test("forSortedRows() sorts each element, as sorting it alone does, and leaves its input alone", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.nat(2100),
      fc.nat(),
      fc.boolean(),
      (n, size, seed, coarse) => {
        const values = makeValues(n, size, seed, coarse);
        const before = values.map((one) => one.slice());
        expect(sortAll(values)).toEqual(sortColumns(values));
        expect(values).toEqual(before);
      },
    ),
    { numRuns: 40 },
  );
});

test("forSortedRows() sorts more points than the kernel has room for, and where no memory of it is free", () => {
  const many = makeValues(9000, 3, 1, false);
  expect(sortAll(many)).toEqual(sortColumns(many));
  const taken = Array.from({ length: 64 }, () => borrowScratch(2 ** 20));
  const values = makeValues(7, 5, 2, true);
  expect(sortAll(values)).toEqual(sortColumns(values));
  for (const { release } of taken.map((one) => ({ release: () => one.release() }))) release();
});

test("sortingNetwork() sorts all sequences of 0 and 1, so all numbers", () => {
  for (let count = 1; count <= 12; count++) {
    const pairs = sortingNetwork(count);
    for (let bits = 0; bits < 2 ** count; bits++) {
      const values = Array.from({ length: count }, (_, k) => (bits >> k) & 1);
      for (let p = 0; p < pairs.length; p += 2) {
        const [i, j] = [at(pairs, p), at(pairs, p + 1)];
        const [a, b] = [at(values, i), at(values, j)];
        [values[i], values[j]] = [Math.min(a, b), Math.max(a, b)];
      }
      expect(values.every((value, k) => k === 0 || at(values, k - 1) <= value)).toBe(true);
    }
  }
});

test("sortingNetwork() has as many pairs as Batcher's, 403 of 50", () => {
  expect([2, 4, 8, 10, 50, 200].map((n) => sortingNetwork(n).length / 2)).toEqual([1, 5, 19, 32, 403, 2906]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { compareRows } from "./compare-rows.ts";

const numbers = fc.oneof(
  fc.double({ min: -4, max: 4, noNaN: true }),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
/** Rows of pairs, each of 3 pairs of numbers that are often equal. */
const pair = fc.oneof(
  fc.tuple(numbers, numbers),
  numbers.map((x): [number, number] => [x, x]),
);
const rows = fc.array(fc.tuple(pair, pair, pair), { minLength: 0, maxLength: 7 });

test("compareRows() compares every pair of any number of rows", () => {
  fc.assert(
    fc.property(rows, (of) => {
      const pairs = of.flat();
      const a = Float32Array.from(pairs, ([x]) => x);
      // The second tensor has each row backwards.
      const b = Float32Array.from(
        of.flatMap((row) => row.toReversed()),
        ([, y]) => y,
      );
      const starts = Int32Array.from(of, (_, row) => 3 * row);
      const actual = compareRows(a, b, {
        startsBefore: starts,
        startsAfter: starts,
        before: Int32Array.of(0, 1, 2),
        after: Int32Array.of(2, 1, 0),
      });
      const differing = pairs.filter(([x, y]) => Math.fround(x) !== Math.fround(y) && !Object.is(x, y));
      const apart = differing.map(([x, y]) => Math.abs(Math.fround(x) - Math.fround(y)));
      const sizes = [...a].map(Math.abs).filter(Number.isFinite);
      const largest = Math.max(0, ...apart);
      if (apart.every((difference) => difference === 0)) expect(actual).toBe(0);
      else if (apart.every(Number.isFinite) && Math.max(0, ...sizes) > 0) {
        expect(actual).toBe(largest / Math.max(...sizes));
      } else expect(actual).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});

import { at } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { averageClosestInto } from "./average-closest.ts";
import { selectInPlace } from "./select.ts";

/** Few distinct numbers, so that many are equal, or any. */
const numbers = fc.oneof(
  fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 60 }),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 60 }),
);

describe("selectInPlace()", () => {
  test("selectInPlace() puts a number where sorting would, smaller ones before and larger ones after", () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (list, where) => {
        const position = where % list.length;
        const values = Float64Array.from(list, (x) => x + 0);
        const sorted = values.slice().sort();
        expect(selectInPlace(values, position)).toBe(at(sorted, position));
        for (const [i, value] of values.entries()) {
          if (i < position) expect(value).toBeLessThanOrEqual(at(sorted, position));
          else expect(value).toBeGreaterThanOrEqual(at(sorted, position));
        }
        expect(values.sort()).toEqual(sorted);
      }),
    );
  });

  test("selectInPlace() leaves numbers outside of its range alone", () => {
    const values = Float64Array.of(9, 3, 1, 2, 0);
    expect(selectInPlace(values, 2, 1, 4)).toBe(2);
    expect([values[0], values[4]]).toEqual([9, 0]);
  });
});

test("averageClosestInto() averages the closest to the median, as sorting by distance does", () => {
  fc.assert(
    fc.property(numbers, fc.nat(), (list, more) => {
      const count = 1 + (more % list.length);
      const out = new Float64Array(1);
      const values = list.map((x) => Float64Array.of(x / 4));
      averageClosestInto(values, count, out);
      const sorted = Float64Array.from(values, (one) => at(one, 0)).sort();
      const median = (at(sorted, (list.length - 1) >> 1) + at(sorted, list.length >> 1)) / 2;
      const closest = [...sorted]
        .sort((x, y) => Math.abs(x - median) - Math.abs(y - median) || x - y)
        .slice(0, count);
      const mean = closest.reduce((sum, x) => sum + x / count, 0);
      const scale = Math.max(...sorted.map(Math.abs), 1e-300);
      expect(Math.abs(at(out, 0) - mean) / scale).toBeLessThan(1e-13);
    }),
  );
});

import { at } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { averageClosestInto } from "./average-closest.ts";

/** Few distinct numbers, so that many are equal, or any whose sums stay finite. */
const numbers = fc.oneof(
  fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 60 }),
  fc.array(fc.double({ min: -1e300, max: 1e300, noNaN: true }), {
    minLength: 1,
    maxLength: 60,
  }),
);

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

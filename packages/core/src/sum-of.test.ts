import fc from "fast-check";
import { expect, it } from "vitest";
import { sumOf } from "./sum-of.ts";

it("sumOf() adds in order, so that sums are the same bits as those of a reduction", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (values) => {
      const expected = values.reduce((sum, value) => sum + value, 0);
      expect(sumOf(values)).toBe(expected);
      expect(sumOf(Float64Array.from(values))).toBe(expected);
    }),
  );
});

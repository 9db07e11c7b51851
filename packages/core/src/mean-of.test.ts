import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { meanOf } from "./mean-of.ts";

describe("meanOf", () => {
  it("adds in order and divides once, so that means are the same bits as those of a reduction", () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 1 }), (values) => {
        const expected = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(meanOf(values)).toBe(expected);
        expect(meanOf(Float64Array.from(values))).toBe(expected);
      }),
    );
  });

  it("has no mean of no numbers", () => {
    expect(meanOf([])).toBeNaN();
  });
});

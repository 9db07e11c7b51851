import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitDimension } from "./split-dimension.ts";

describe("splitDimension()", () => {
  it("splits all of it, with 1 to its size for each layer, and within 1 of its share where that is free", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), (sizes, share) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const dimension = sizes.length + Math.floor(share * (total - sizes.length));
        const parts = splitDimension(sizes, dimension);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(dimension);
        parts.forEach((part, i) => {
          expect(part).toBeGreaterThanOrEqual(1);
          expect(part).toBeLessThanOrEqual(sizes[i] ?? 0);
        });
      }),
    );
  });

  it("splits in proportion", () => {
    expect(splitDimension([600, 300, 100], 10)).toEqual([6, 3, 1]);
    expect(splitDimension([600, 300, 100], 1000)).toEqual([600, 300, 100]);
    expect(splitDimension([997, 1, 2], 3)).toEqual([1, 1, 1]);
  });
});

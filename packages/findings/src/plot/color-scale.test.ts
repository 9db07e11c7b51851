import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { divergingScale, factorScale, sequentialScale } from "./color-scale.ts";

const signed = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe("sequentialScale()", () => {
  it("names the value of its one band if all values are equal, and no other", () => {
    expect(sequentialScale([3.59, Number.NaN, 3.59])).toMatchObject({ levels: [], only: 3.59 });
    expect(sequentialScale([3.59, 3.6]).only).toBeUndefined();
  });
});

describe("divergingScale()", () => {
  it("divergingScale() has the same levels on both sides", () => {
    fc.assert(
      fc.property(fc.array(signed, { minLength: 1 }), (values) => {
        const { levels } = divergingScale(values);
        expect(levels.toReversed().map((level) => -level)).toEqual(levels);
        expect(levels).toEqual([...new Set(levels)].sort((a, b) => a - b));
      }),
    );
    expect(divergingScale([-0.3, 0.02, 1.9]).levels).toEqual([-1, -0.5, -0.2, -0.1, 0.1, 0.2, 0.5, 1]);
  });

  it("divergingScale() has one band where all is zero", () => {
    expect(divergingScale([0, 0]).levels).toEqual([]);
    expect(divergingScale([Number.NaN]).levels).toEqual([]);
    // A twentieth of it is 0.
    expect(divergingScale([5e-324]).levels).toEqual([]);
  });
});

describe("factorScale()", () => {
  it("factorScale() spreads its levels over all orders of magnitude but the smallest", () => {
    expect(factorScale([0, 2e-5, 0.003, 1.4], 4).levels).toEqual([0.001, 0.01, 0.1, 1]);
    expect(factorScale([0, 0])).toMatchObject({ levels: [] });
    expect(factorScale([Number.NaN, 3])).toMatchObject({ levels: [] });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankCorrelation } from "./compare-predictions.ts";

const pairs = fc.array(fc.tuple(fc.integer({ max: 9, min: -9 }), fc.integer({ max: 9, min: -9 })), {
  minLength: 2,
  maxLength: 9,
});

describe("rankCorrelation()", () => {
  it("is 1 for the same order, -1 for the reverse", () => {
    expect(rankCorrelation([1, 2, 3, 10], [0, 5, 6, 7])).toBe(1);
    expect(rankCorrelation([1, 2, 3, 10], [7, 6, 5, 0])).toBe(-1);
  });

  it("is what a textbook says of ranks without ties: 1 - 6 sum d^2 / (n (n^2 - 1))", () => {
    // Differences of ranks 0, 1, 2, 1, 2.
    expect(
      rankCorrelation(
        [1, 2, 3, 4, 5],
        [1, 3, 5, 2, 4].map((x) => x),
      ),
    ).toBeCloseTo(1 - (6 * 10) / 120, 14);
  });

  it("shares the mean rank among equal values", () => {
    // Ranks 0.5 0.5 2 against 0 1 2: covariance 1.5, variances 1.5 and 2.
    expect(rankCorrelation([3, 3, 7], [1, 2, 3])).toBeCloseTo(1.5 / Math.sqrt(3), 14);
  });

  it("is NaN where there is no order", () => {
    expect(rankCorrelation([1, 1], [1, 2])).toBeNaN();
    expect(rankCorrelation([1], [1])).toBeNaN();
    expect(rankCorrelation([], [])).toBeNaN();
    expect(rankCorrelation([1, Number.NaN], [1, 2])).toBeNaN();
  });

  it("does not change under growing functions, nor when sides are swapped, and lies in [-1, 1]", () => {
    fc.assert(
      fc.property(pairs, (values) => {
        const [x, y] = [values.map(([u]) => u), values.map(([, v]) => v)];
        const rho = rankCorrelation(x, y);
        expect(
          rankCorrelation(
            x.map((u) => u ** 3 + 1),
            y,
          ),
        ).toBe(rho);
        expect(rankCorrelation(y, x)).toBe(rho);
        if (!Number.isNaN(rho)) expect(Math.abs(rho)).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });
});

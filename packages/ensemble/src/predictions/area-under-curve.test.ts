import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areaUnderCurve } from "./prediction-quality.ts";

/** Every pair of a positive and a negative: 1 where the positive is higher, one half where they are equal. */
function bruteForce(positives: readonly number[], negatives: readonly number[]): number {
  let wins = 0;
  for (const above of positives) {
    for (const below of negatives) wins += above > below ? 1 : above === below ? 0.5 : 0;
  }
  return wins / (positives.length * negatives.length);
}

// Few distinct numbers, so that many are equal.
const scores = fc.array(
  fc.integer({ min: 0, max: 6 }).map((n) => n / 6),
  { minLength: 1, maxLength: 40 },
);

describe("areaUnderCurve()", () => {
  it("areaUnderCurve() counts pairs, ties as one half", () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        expect(areaUnderCurve(positives, negatives)).toBeCloseTo(bruteForce(positives, negatives), 13);
      }),
    );
  });

  it("areaUnderCurve() is 1 minus itself where positives and negatives change places", () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        const there = areaUnderCurve(positives, negatives) ?? Number.NaN;
        expect(there + (areaUnderCurve(negatives, positives) ?? Number.NaN)).toBeCloseTo(1, 13);
      }),
    );
  });

  it("areaUnderCurve() depends on the order of scores only", () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        const cubed = (numbers: readonly number[]) => numbers.map((x) => x ** 3 - 5);
        expect(areaUnderCurve(cubed(positives), cubed(negatives))).toBe(areaUnderCurve(positives, negatives));
      }),
    );
  });

  it("areaUnderCurve() is null where there is nothing to tell apart, or a score is NaN", () => {
    expect(areaUnderCurve([], [1])).toBeNull();
    expect(areaUnderCurve([1], [])).toBeNull();
    expect(areaUnderCurve([1, Number.NaN], [0])).toBeNull();
    expect(areaUnderCurve([1], [Number.NaN])).toBeNull();
    expect(areaUnderCurve([Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY])).toBe(1);
  });
});

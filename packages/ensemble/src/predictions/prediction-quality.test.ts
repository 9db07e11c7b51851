import { describe, expect, it } from "vitest";
import { predictionQuality } from "./prediction-quality.ts";

const of = (...rows: number[][]) => ({
  probabilities: Float64Array.from(rows.flat()),
  classes: rows[0]?.length ?? 0,
});

describe("predictionQuality()", () => {
  it("predictionQuality() is that of three examples by hand", () => {
    const predictions = of([0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.3, 0.3, 0.4]);
    const quality = predictionQuality(
      predictions,
      Int32Array.of(0, 1, 2),
      of([0.4, 0.3, 0.3], [0.6, 0.2, 0.2]),
    );
    expect(quality.accuracy).toBeCloseTo(2 / 3, 14);
    expect(quality.nll).toBeCloseTo(-(Math.log(0.7) + 2 * Math.log(0.4)) / 3, 14);
    const brier = [0.09 + 0.04 + 0.01, 0.25 + 0.36 + 0.01, 0.09 + 0.09 + 0.36];
    expect(quality.brier).toBeCloseTo(brier.reduce((a, b) => a + b) / 3, 14);
    expect(quality.ece).toBeCloseTo((0.3 + 0.5 + 0.6) / 3, 14);
    // Right ones are at 0.7 and 0.4, the wrong one at 0.5: one pair of two.
    expect(quality.aurocMisclassification).toBe(0.5);
    // Over 0.4 are two of three, one of them ties; over 0.6 is one: (2.5 + 1) / 6.
    expect(quality.aurocOutOfDistribution).toBeCloseTo(3.5 / 6, 14);
  });

  it("predictionQuality() has no area where all are right, and tells the first of equal classes as predicted", () => {
    expect(predictionQuality(of([0.5, 0.5]), Int32Array.of(0))).toMatchObject({
      accuracy: 1,
      aurocMisclassification: null,
    });
    const wrong = predictionQuality(of([0.5, 0.5]), Int32Array.of(1));
    expect(wrong).toMatchObject({ accuracy: 0, aurocMisclassification: null });
    expect(wrong).not.toHaveProperty("aurocOutOfDistribution");
  });

  it("predictionQuality() takes NaN for wrong", () => {
    const quality = predictionQuality(of([Number.NaN, Number.NaN], [0.9, 0.1]), Int32Array.of(0, 0));
    expect(quality.accuracy).toBe(0.5);
    expect(quality.nll).toBeNaN();
  });

  it("predictionQuality() refuses labels that do not fit", () => {
    expect(() => predictionQuality(of([1, 0]), Int32Array.of(0, 1))).toThrow(/a row of 2 probabilities/);
    expect(() => predictionQuality(of([1, 0]), Int32Array.of(2))).toThrow(/below the 2 classes.*one is 2/);
    expect(() => predictionQuality(of([]), new Int32Array(0))).toThrow(/at least one label/);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calibrationError } from "./calibration.ts";

describe("calibrationError()", () => {
  it("calibrationError() is that of two bins by hand", () => {
    // 0.9 twice, once right: 0.4 too sure. 0.6 once, right: 0.4 not sure enough. Over three examples: (2 *
    // 0.4 + 0.4) / 3.
    expect(calibrationError([0.9, 0.6, 0.9], [1, 1, 0])).toBeCloseTo(0.4, 14);
    // Errors of the two in the highest bin, 1 right of 2 at a mean confidence of 0.975, cancel within it.
    expect(calibrationError([1, 0.95], [1, 0])).toBeCloseTo(0.475, 14);
  });

  it("calibrationError() puts the ends of bins into the lower one, and 0 into the first", () => {
    // In one bin, these would cancel to |1 - 0.5|; apart, they are 0.4 and 0.9.
    expect(calibrationError([6 / 15, 6 / 15 + 1e-9], [1, 0])).toBeCloseTo((0.6 + 0.4) / 2, 8);
    expect(calibrationError([0, 1 / 15], [0, 0])).toBeCloseTo(1 / 30, 14);
  });

  it("calibrationError() is at most 1, and the gap of the means where all are in one bin", () => {
    const example = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 1 }));
    fc.assert(
      fc.property(fc.array(example, { minLength: 1 }), (examples) => {
        const error = calibrationError(
          examples.map(([confidence]) => confidence),
          examples.map(([, right]) => right),
        );
        expect(error).toBeGreaterThanOrEqual(0);
        expect(error).toBeLessThanOrEqual(1);
        const [low] = [0.81];
        const squeezed = examples.map(([confidence]) => low + confidence * 0.05);
        const gap =
          examples.reduce((sum, [, right], i) => sum + right - (squeezed[i] ?? 0), 0) / examples.length;
        expect(
          calibrationError(
            squeezed,
            examples.map(([, right]) => right),
          ),
        ).toBeCloseTo(Math.abs(gap), 12);
      }),
    );
  });

  it("calibrationError() is NaN without examples, or with a confidence that is", () => {
    expect(calibrationError([], [])).toBeNaN();
    expect(calibrationError([0.5, Number.NaN], [1, 0])).toBeNaN();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { levelsBetween, logarithmicLevels } from "./levels.ts";

const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

describe("levelsBetween()", () => {
  it("levelsBetween() grows by factors over decades and by steps within one", () => {
    expect(levelsBetween(0.21, 6.8)).toEqual([0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5]);
    expect(levelsBetween(0.05, 900)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500]);
    expect(levelsBetween(1, 2)).toEqual([1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9]);
    expect(levelsBetween(-1, 1, 3)).toEqual([-0.5, 0, 0.5]);
  });

  it("levelsBetween() has no levels by factors below what could be measured", () => {
    // Errors on 200 examples: half a percent is one of them.
    expect(levelsBetween(0, 0.2, 10, 1 / 200)).toEqual([0.005, 0.01, 0.02, 0.03, 0.05, 0.1]);
  });

  it("levelsBetween() gives ascending levels within the range, never more than asked for", () => {
    fc.assert(
      fc.property(positive, positive, fc.integer({ min: 2, max: 12 }), (one, other, most) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const levels = levelsBetween(low, high, most);
        expect(levels.length).toBeLessThanOrEqual(most);
        levels.forEach((level, index) => {
          expect(level).toBeGreaterThanOrEqual(low);
          expect(level).toBeLessThanOrEqual(high);
          if (index > 0) expect(level).toBeGreaterThan(levels[index - 1] ?? level);
        });
      }),
    );
  });

  it("levelsBetween() finds none in an empty range, and some from zero", () => {
    expect(levelsBetween(1, 1)).toEqual([]);
    expect(levelsBetween(0, 0)).toEqual([]);
    expect(levelsBetween(0, 5e-324)).toEqual([]);
    expect(levelsBetween(0, 1)).toEqual([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]);
  });

  it("logarithmicLevels() has no levels up to infinity, or from 0", () => {
    expect(logarithmicLevels(1, Number.POSITIVE_INFINITY, 5)).toEqual([]);
    expect(logarithmicLevels(0, 1, 5)).toEqual([]);
  });
});

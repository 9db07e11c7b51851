import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clipWeights, clipWeightsByLayer, splitClip } from "./clip-weights.ts";

const norms = fc.array(fc.double({ min: 0, max: 1e300, noNaN: true }), { minLength: 1, maxLength: 8 });
const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

describe("clipWeights", () => {
  test("brings norms to at most the bound, and leaves those within it", () => {
    fc.assert(
      fc.property(norms, positive, (all, clip) => {
        for (const [i, weight] of clipWeights(all, clip).entries()) {
          const norm = all[i]!;
          expect(weight).toBeGreaterThan(0);
          if (norm <= clip) expect(weight).toBe(1);
          // To rounding of one division and one product.
          else expect(Math.abs(weight * norm - clip)).toBeLessThanOrEqual(clip * 2 ** -51);
        }
      }),
      { seed: 15 },
    );
  });

  test("leaves an update of zero as it is", () => {
    expect(clipWeights([0, 2], 1)).toEqual([1, 0.5]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("refuses a norm of %s", (norm) => {
    expect(() => clipWeights([1, norm], 1)).toThrow(`Cannot clip update 1 as its norm`);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses a bound of %s", (clip) => {
    expect(() => clipWeights([1], clip)).toThrow(/"clip" must be a finite number above 0/);
    expect(() => splitClip(clip, [1])).toThrow(/"clip"/);
  });
});

describe("clipping by layer", () => {
  test("keeps the norm of the whole update within the bound that was split", () => {
    const layers = fc.array(fc.tuple(positive, fc.double({ min: 0, max: 1e6, noNaN: true })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(layers, positive, (pairs, clip) => {
        const bounds = splitClip(
          clip,
          pairs.map(([share]) => share),
        );
        const [weights = []] = clipWeightsByLayer([pairs.map(([, norm]) => norm)], bounds);
        const whole = Math.hypot(...pairs.map(([, norm], i) => norm * weights[i]!));
        expect(whole).toBeLessThanOrEqual(clip * (1 + 1e-12));
      }),
      { seed: 15 },
    );
  });

  test("splits evenly for equal shares", () => {
    expect(splitClip(2, [1, 1, 1, 1])).toEqual([1, 1, 1, 1]);
    expect(() => splitClip(2, [1, 0])).toThrow(/share must be above 0/);
  });

  test("refuses a client with other layers", () => {
    expect(() => clipWeightsByLayer([[1, 1], [1]], [1, 1])).toThrow(/update 1 by layer .* it has 1 of 2/);
  });
});

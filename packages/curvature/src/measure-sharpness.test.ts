import { OutOfRangeError } from "@isthmus/core";
import { measureSharpness } from "@isthmus/curvature";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { functionSurface, quadraticSurface } from "../../../test/helpers/function-surface.ts";
import { matrixOfSpectrum } from "../../../test/helpers/matrix-operator.ts";

describe("measureSharpness()", () => {
  test("is half the largest eigenvalue times the squared radius at a minimum, half the trace on average", async () => {
    const spectrum = [5, 3, 1, 0.5, 0];
    const surface = quadraticSurface(matrixOfSpectrum(spectrum, 3));
    const options = { radius: 0.2, deviation: 0.3, steps: 200, samples: 2000 };
    const { plain, loss } = await measureSharpness(surface, options);
    expect(loss).toBe(0);
    expect(plain.oneStep).toBe(0);
    expect(plain.worst).toBeLessThanOrEqual(0.5 * 5 * 0.2 ** 2 * (1 + 1e-12));
    expect(plain.worst).toBeGreaterThan(0.99 * 0.5 * 5 * 0.2 ** 2);
    const { rise, standardError } = plain.average ?? { rise: Number.NaN, standardError: Number.NaN };
    expect(Math.abs(rise - 0.5 * 9.5 * 0.09)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.05 * rise);
  });

  test("takes SAM's step, and climbing is never worse", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.double({ min: 0.01, max: 2, noNaN: true }), async (seed, radius) => {
        const operator = matrixOfSpectrum([4, 2, -1], seed);
        const place = Float64Array.of(1, -2, 0.5);
        const surface = quadraticSurface(operator, place);
        const { plain, adaptive } = await measureSharpness(surface, { radius, steps: 10, samples: 0 });
        const gradient = new Float64Array(3);
        await operator.apply(place, gradient);
        const curved = new Float64Array(3);
        await operator.apply(gradient, curved);
        const length = Math.hypot(...gradient);
        const along = gradient.reduce((sum, x, i) => sum + x * (curved[i] as number), 0) / length ** 2;
        expect(plain.oneStep).toBeCloseTo(radius * length + 0.5 * radius ** 2 * along, 9);
        expect(plain.worst).toBeGreaterThanOrEqual(plain.oneStep);
        expect(adaptive.worst).toBeGreaterThanOrEqual(adaptive.oneStep);
        expect(plain.average).toBeUndefined();
      }),
      { numRuns: 30, seed: 1 },
    ));

  test("of two layers scaled against each other stays the same if adaptive, and does not if plain", () =>
    fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.3, max: 3, noNaN: true }).filter((x) => Math.abs(x - 1) > 0.1),
        async (factor) => {
          const at = (scale: number) =>
            measureSharpness(
              functionSurface(Float64Array.of(1.5 * scale, -0.7 / scale), ([a = 0, b = 0]) => {
                const error = a * b - 1;
                return { loss: error ** 2, gradient: Float64Array.of(2 * error * b, 2 * error * a) };
              }),
              { steps: 5, samples: 5 },
            );
          const [before, after] = [await at(1), await at(factor)];
          expect(after.adaptive.oneStep).toBeCloseTo(before.adaptive.oneStep, 10);
          expect(after.adaptive.worst).toBeCloseTo(before.adaptive.worst ?? Number.NaN, 10);
          expect(after.adaptive.average?.rise).toBeCloseTo(before.adaptive.average?.rise ?? Number.NaN, 10);
          expect(Math.abs(after.plain.oneStep / before.plain.oneStep - 1)).toBeGreaterThan(1e-3);
        },
      ),
      { numRuns: 20, seed: 1 },
    ));

  test("refuses radii of 0, a single sample, and losses that overflow", async () => {
    const surface = quadraticSurface(matrixOfSpectrum([1, 2], 1), Float64Array.of(1, 1));
    await expect(measureSharpness(surface, { radius: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(measureSharpness(surface, { samples: 1 })).rejects.toThrow('"samples" must be 0');
    await expect(measureSharpness(surface, { adaptiveRadius: 1e200 })).rejects.toThrow("must be finite");
  });
});

import { InputError, OutOfRangeError } from "@isthmus/core";
import { criticalSharpness } from "@isthmus/curvature";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { functionSurface, quadraticSurface } from "../../../test/helpers/function-surface.ts";
import { matrixOfSpectrum } from "../../../test/helpers/matrix-operator.ts";

const SPECTRUM = [7, 3, 1, 0.2];

describe("criticalSharpness()", () => {
  test("is the curvature along the gradient of a quadratic, at most the largest eigenvalue", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.constantFrom(1e-6, 1e-3, 1, 50), async (seed, guess) => {
        const operator = matrixOfSpectrum(SPECTRUM, seed);
        const place = Float64Array.of(1, -1, 2, 0.3);
        const surface = quadraticSurface(operator, place);
        const { sharpness, learningRate } = await criticalSharpness(surface, { guess, tolerance: 1e-6 });
        const [gradient, curved] = [new Float64Array(4), new Float64Array(4)];
        await operator.apply(place, gradient);
        await operator.apply(gradient, curved);
        const inner = (x: Float64Array) => gradient.reduce((sum, g, i) => sum + g * (x[i] as number), 0);
        const exact = inner(curved) / inner(gradient);
        expect(Math.abs(sharpness / exact - 1)).toBeLessThan(2e-6);
        expect(sharpness).toBeLessThan(7 * (1 + 2e-6));
        expect(2 / learningRate[1]).toBeLessThanOrEqual(exact * (1 + 1e-9));
        expect(2 / learningRate[0]).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
      }),
      { numRuns: 40, seed: 1 },
    ));

  test("is the eigenvalue where the gradient is an eigenvector, from few losses by a good guess", async () => {
    const surface = functionSurface(Float64Array.of(0.3, 0), ([x = 0, y = 0]) => ({
      loss: 5 * x * x + y * y,
      gradient: Float64Array.of(10 * x, 2 * y),
    }));
    const { sharpness, passes, direction } = await criticalSharpness(surface, { guess: 0.19 });
    expect(Math.abs(sharpness - 10)).toBeLessThan(10 / 16);
    expect(passes).toBeLessThan(10);
    expect(direction).toBe("gradient");
  });

  test("takes losses alone along a direction that is passed", async () => {
    const surface = {
      ...quadraticSurface(matrixOfSpectrum(SPECTRUM, 2), Float64Array.of(1, 0, 0, 0)),
      gradientAt: () => Promise.reject(new Error("no gradient")),
    };
    const result = await criticalSharpness(surface, { direction: Float64Array.of(-1, 0, 0, 0) });
    // On the way through the minimum of a parabola, the loss is as high again after twice the way.
    expect(result.learningRate[0]).toBeLessThanOrEqual(2);
    expect(result.learningRate[1]).toBeGreaterThanOrEqual(2);
    expect(result.direction).toBe("given");
  });

  test("refuses directions that lead nowhere, and surfaces without such a rate", async () => {
    const surface = quadraticSurface(matrixOfSpectrum(SPECTRUM, 2), Float64Array.of(1, 0, 0, 0));
    const along = (direction: Float64Array) => criticalSharpness(surface, { direction });
    await expect(along(new Float64Array(3))).rejects.toThrow("must be as long");
    await expect(along(new Float64Array(4))).rejects.toThrow("must lead somewhere");
    await expect(along(Float64Array.of(1, 0, 0, 0))).rejects.toThrow("the loss must fall on the way");
    await expect(criticalSharpness(quadraticSurface(matrixOfSpectrum([1], 1)))).rejects.toThrow(InputError);
    await expect(criticalSharpness(surface, { guess: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(criticalSharpness(surface, { tolerance: 1 })).rejects.toThrow(OutOfRangeError);
    const slope = functionSurface(Float64Array.of(0), ([x = 0]) => ({
      loss: x,
      gradient: Float64Array.of(1),
    }));
    await expect(criticalSharpness(slope)).rejects.toThrow("the loss must rise on the way");
  });
});

import { OutOfRangeError } from "@isthmus/core";
import { learningCoefficient } from "@isthmus/curvature";
import { describe, expect, test } from "vitest";
import { functionSurface, quadraticSurface } from "../../../test/helpers/function-surface.ts";
import { matrixOfSpectrum } from "../../../test/helpers/matrix-operator.ts";

/** Steps that mix fast on losses whose curvature is about 1 at this temperature. */
const OPTIONS = { step: 7e-4, localization: 1, burnIn: 1000, draws: 4000, chains: 8 } as const;

/** Means over `exp(-beta loss - localization |x|^2 / 2)` on a plane, by sums on a grid. */
function exactProduct(beta: number, localization: number): number {
  let [sum, total] = [0, 0];
  for (let a = -4; a <= 4; a += 0.01) {
    for (let b = -4; b <= 4; b += 0.01) {
      const loss = (a * b) ** 2;
      const weight = Math.exp(-beta * loss - (localization * (a * a + b * b)) / 2);
      sum += weight * beta * loss;
      total += weight;
    }
  }
  return sum / total;
}

describe("learningCoefficient()", () => {
  test("is half the rank of a quadratic loss, half the number of parameters of a regular one", async () => {
    for (const spectrum of [
      [1, 2, 1, 1.5, 0.8],
      [1, 2, 0, 0, 0],
    ]) {
      const rank = spectrum.filter((value) => value > 0).length;
      const { coefficient, standardError, beta } = await learningCoefficient(
        quadraticSurface(matrixOfSpectrum(spectrum, 4)),
        OPTIONS,
      );
      expect(beta).toBeCloseTo(1000 / Math.log(1000), 10);
      // The pull, and steps of some length, change each half by a little: the law of the chain says how much.
      const exact = spectrum.reduce((sum, value) => {
        const force = beta * value + OPTIONS.localization;
        return sum + (0.5 * beta * value) / (force * (1 - (OPTIONS.step * force) / 4));
      }, 0);
      expect(Math.abs(exact - rank / 2)).toBeLessThan(0.05 * rank);
      expect(Math.abs(coefficient - exact)).toBeLessThan(4 * standardError);
      expect(standardError).toBeLessThan(0.04 * coefficient);
    }
  });

  test("is below half the number of parameters at a singular place, as the posterior has it", async () => {
    const surface = functionSurface(new Float64Array(2), ([a = 0, b = 0]) => ({
      loss: (a * b) ** 2,
      gradient: Float64Array.of(2 * a * b * b, 2 * a * a * b),
    }));
    const options = { ...OPTIONS, step: 5e-4, draws: 20_000, chains: 8, beta: 200 };
    const { coefficient, standardError } = await learningCoefficient(surface, options);
    const exact = exactProduct(200, OPTIONS.localization);
    expect(Math.abs(coefficient - exact)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.03);
    // It is 1/2 in the limit, with logarithmic corrections as the singularity is of multiplicity 2.
    expect(exact).toBeGreaterThan(0.3);
    expect(coefficient + 4 * standardError).toBeLessThan(0.55);
  });

  test("has chains that do not depend on how many there are, and the same numbers by the same seed", async () => {
    const surface = quadraticSurface(matrixOfSpectrum([1, 2, 0], 4));
    const run = (chains: number, seed = 5) =>
      learningCoefficient(surface, { draws: 20, burnIn: 10, chains, seed });
    const [few, many] = [await run(2), await run(4)];
    expect(many.chains.slice(0, 2)).toEqual(few.chains);
    expect(many.course).toHaveLength(30);
    expect(await run(4)).toEqual(many);
    expect((await run(4, 6)).chains).not.toEqual(many.chains);
  });

  test("says that chains still climb", async () => {
    const surface = quadraticSurface(matrixOfSpectrum(Array(20).fill(1), 4));
    const { drift, coefficient } = await learningCoefficient(surface, { burnIn: 0, chains: 20 });
    expect(coefficient).toBeLessThan(5);
    expect(drift.rise).toBeGreaterThan(3 * drift.standardError);
  });

  test("refuses one chain, steps of 0, one example, and chains that diverge", async () => {
    const surface = quadraticSurface(matrixOfSpectrum([1, 2], 1));
    await expect(learningCoefficient(surface, { chains: 1 })).rejects.toThrow(OutOfRangeError);
    await expect(learningCoefficient(surface, { step: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(learningCoefficient(surface, { localization: -1 })).rejects.toThrow(OutOfRangeError);
    await expect(learningCoefficient({ ...surface, examples: 1 })).rejects.toThrow("at least 2");
    await expect(learningCoefficient(surface, { step: 10 })).rejects.toThrow("take a smaller step");
  });
});

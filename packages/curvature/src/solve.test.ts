import { createRandom, OutOfRangeError } from "@isthmus/core";
import { createMatrix, plainProducts, solvePositiveDefinite } from "@isthmus/linear-algebra";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matrixOfSpectrum } from "../../../test/helpers/matrix-operator.ts";
import { solve } from "./solve.ts";

async function directSolution(matrix: Float64Array, b: Float64Array): Promise<ArrayLike<number>> {
  const size = b.length;
  const solved = await solvePositiveDefinite(
    createMatrix(size, size, matrix),
    createMatrix(size, 1, b),
    plainProducts,
  );
  return solved?.data ?? [];
}

describe("solve()", () => {
  test("is what a direct solution is, with damping", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.nat(1000), async (size, seed) => {
        const random = createRandom(seed);
        const operator = matrixOfSpectrum(
          Array.from({ length: size }, () => random.uniform() * 10),
          seed,
        );
        const b = Float64Array.from({ length: size }, () => random.normal());
        const damping = 0.1;
        const { solution, residual, stopped } = await solve(operator, b, { damping, tolerance: 1e-12 });
        expect(stopped).toBe("converged");
        expect(residual).toBeLessThanOrEqual(1e-12);
        const damped = operator.matrix.map((x, i) => (i % (size + 1) === 0 ? x + damping : x));
        const direct = await directSolution(damped, b);
        for (const [i, x] of solution.entries())
          expect(Math.abs(x - (direct[i] as number))).toBeLessThan(1e-8);
      }),
      { numRuns: 25, seed: 1 },
    ));

  test("says why it stopped", async () => {
    const operator = matrixOfSpectrum([1, 2, 3, 4], 0);
    const b = new Float64Array([1, 2, 3, 4]);
    expect(await solve(operator, b, { steps: 2 })).toMatchObject({ stopped: "steps", products: 2 });
    const indefinite = matrixOfSpectrum([-1, -2, 3, 4], 0);
    expect((await solve(indefinite, b)).stopped).toBe("negative-curvature");
    expect((await solve(indefinite, b, { damping: 2.5 })).stopped).toBe("converged");
    const nothing = await solve(operator, new Float64Array(4));
    expect(nothing).toEqual({
      solution: new Float64Array(4),
      residual: 0,
      stopped: "converged",
      products: 0,
    });
  });

  test("refuses options out of range, and a right side of another length", async () => {
    const operator = matrixOfSpectrum([1, 2], 0);
    await expect(solve(operator, new Float64Array(3))).rejects.toThrow("as long");
    await expect(solve(operator, new Float64Array(2), { damping: -1 })).rejects.toThrow(OutOfRangeError);
  });
});

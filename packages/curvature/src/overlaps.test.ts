import { createRandom, innerProduct } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { lanczos, spaceEigen } from "./lanczos.ts";
import { randomDirection } from "./vectors.ts";

const DIMENSION = 400;
const STEPS = 80;

/** Builds a space of an operator with given eigenvalues, and counts the products of vectors with each other. */
async function spaceOf(eigenvalues: readonly number[], round: (x: number) => number, isLoose: boolean) {
  const random = createRandom(0, "space");
  // Reflected at a random plane, so that rounding errors have parts along all eigenvectors.
  const normal = randomDirection(random, DIMENSION);
  const reflect = (x: Float64Array) => {
    const part = 2 * innerProduct(x, normal);
    return x.map((value, i) => value - part * (normal[i] as number));
  };
  const multiply = async (x: Float64Array) =>
    reflect(reflect(x).map((value, i) => value * (eigenvalues[i] as number))).map(round);
  const start = randomDirection(random, DIMENSION);
  const space = await lanczos({ start, steps: STEPS, random, multiply, isLoose });
  const { values, vectors } = spaceEigen(space);
  const moment = (power: number) =>
    values.reduce((sum, value, i) => sum + (vectors.data[i] as number) ** 2 * value ** power, 0);
  const overlaps = space.basis.flatMap((x, i) =>
    space.basis.slice(0, i).map((y) => Math.abs(innerProduct(x, y))),
  );
  const full = space.rounding.filter((part) => part !== 0).length;
  return { values, moments: [1, 2, 3].map(moment), overlap: Math.max(...overlaps), full };
}

const bulk = Array.from({ length: DIMENSION }, (_, i) => Math.sin(i));
const SPECTRA: Readonly<Record<string, readonly number[]>> = {
  bulk,
  outliers: bulk.map((value, i) => (i < 3 ? 300 * (i + 1) : value)),
  "one outlier far away": bulk.map((value, i) => (i === 7 ? 1e5 : value)),
  falling: bulk.map((_, i) => 1 / (1 + i) ** 2),
};

describe.each(Object.entries(SPECTRA))("a loose Krylov space of the spectrum %s", (name, eigenvalues) => {
  test.each([
    ["doubles", (x: number) => x, 1e-9],
    ["single precision", Math.fround, 1e-5],
  ] as const)("keeps its vectors apart, and integrals, of products in %s", async (_, round, tolerance) => {
    const [strict, loose] = [
      await spaceOf(eigenvalues, round, false),
      await spaceOf(eigenvalues, round, true),
    ];
    expect(loose.overlap).toBeLessThan(1e-5);
    const scale = Math.max(...eigenvalues.map(Math.abs));
    for (const [i, moment] of loose.moments.entries())
      expect(Math.abs(moment - (strict.moments[i] as number)) / scale ** (i + 1)).toBeLessThan(tolerance);
    expect(Math.abs((loose.values[0] as number) - (strict.values[0] as number)) / scale).toBeLessThan(
      tolerance,
    );
    expect(loose.full).toBeLessThanOrEqual(name === "bulk" ? STEPS / 2 : STEPS);
    // No eigenvalue that is found twice, as vectors that lost each other would have it.
    if (name !== "falling" && name !== "bulk")
      expect((loose.values[0] as number) - (loose.values[1] as number)).toBeGreaterThan(scale / 4);
  });
});

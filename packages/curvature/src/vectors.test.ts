import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  orthogonalizeAllInPlace,
  orthogonalizeInPlace,
  orthonormalizeInPlace,
  randomDirection,
  randomSigns,
} from "./vectors.ts";

/** Makes an orthonormal basis of so many random vectors. */
function basisOf(size: number, dimension: number, seed: number): Float64Array[] {
  const random = createRandom(seed, "basis");
  const basis: Float64Array[] = [];
  for (let i = 0; i < size; i++) {
    const vector = randomDirection(random, dimension);
    orthogonalizeInPlace(vector, basis);
    const length = Math.hypot(...vector);
    basis.push(vector.map((x) => x / length));
  }
  return basis;
}

describe("orthogonalizeAllInPlace()", () => {
  it("gives what orthogonalizeInPlace() gives for each vector, whatever the sizes", async () => {
    const cases = fc.record({
      dimension: fc.constantFrom(3, 17, 4097, 16_384, 16_385),
      size: fc.integer({ min: 0, max: 6 }),
      count: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ dimension, size, count, seed }) => {
        const basis = basisOf(Math.min(size, dimension - 1), dimension, seed);
        const random = createRandom(seed, "signs");
        const together = Array.from({ length: count }, () => randomSigns(random, dimension));
        const alone = together.map((vector) => vector.slice());
        for (const vector of alone) orthogonalizeInPlace(vector, basis);
        await orthogonalizeAllInPlace(together, { basis });
        together.forEach((vector, i) => {
          const apart = vector.reduce((most, x, j) => Math.max(most, Math.abs(x - (alone[i]?.[j] ?? 0))), 0);
          expect(apart).toBeLessThan(1e-12);
        });
      }),
      { numRuns: 25 },
    );
  });
});

describe("orthonormalizeInPlace()", () => {
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);

  it("makes vectors orthonormal beside a basis, even such as nearly depend on one another", async () => {
    for (const spread of [1, 1e-2, 1e-6]) {
      const [dimension, random] = [500, createRandom(0, "vectors")];
      const basis = basisOf(4, dimension, 1);
      const shared = randomDirection(random, dimension);
      const vectors = Array.from({ length: 5 }, () => {
        const own = randomDirection(random, dimension);
        return own.map((x, i) => spread * x + (shared[i] ?? 0) + 3 * (basis[0]?.[i] ?? 0));
      });
      expect(await orthonormalizeInPlace(vectors, { basis })).toBe(5);
      const all = [...basis, ...vectors];
      for (const [i, x] of all.entries())
        for (const [j, y] of all.entries())
          expect(Math.abs(dot(x, y) - (i === j ? 1 : 0))).toBeLessThan(1e-9);
    }
  });

  it("says how many vectors come before one that depends on them", async () => {
    const [a, b] = basisOf(2, 30, 2) as [Float64Array, Float64Array];
    const sum = a.map((x, i) => x + (b[i] ?? 0));
    expect(await orthonormalizeInPlace([a.slice(), b.slice(), sum, b.slice()], { basis: [] })).toBe(2);
  });
});

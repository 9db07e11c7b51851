import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orthogonalizeAllInPlace, orthogonalizeInPlace, randomDirection, randomSigns } from "./vectors.ts";

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
  it("gives what orthogonalizeInPlace() gives for each vector, whatever the sizes", () => {
    const cases = fc.record({
      dimension: fc.constantFrom(3, 17, 4096, 4097, 9000),
      size: fc.integer({ min: 0, max: 6 }),
      count: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ dimension, size, count, seed }) => {
        const basis = basisOf(Math.min(size, dimension - 1), dimension, seed);
        const random = createRandom(seed, "signs");
        const together = Array.from({ length: count }, () => randomSigns(random, dimension));
        const alone = together.map((vector) => vector.slice());
        for (const vector of alone) orthogonalizeInPlace(vector, basis);
        orthogonalizeAllInPlace(together, basis);
        together.forEach((vector, i) => {
          const apart = vector.reduce((most, x, j) => Math.max(most, Math.abs(x - (alone[i]?.[j] ?? 0))), 0);
          expect(apart).toBeLessThan(1e-12);
        });
      }),
      { numRuns: 25 },
    );
  });
});

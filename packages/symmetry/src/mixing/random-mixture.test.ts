import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MixingMatrix, mixInPlace } from "./mix-units.ts";
import { MIXING_GROUPS } from "./mixing-symmetries.ts";
import { randomMixture } from "./random-mixture.ts";

/** The elements of a matrix: the units of an identity matrix, mixed. */
function elementsOf(matrix: MixingMatrix, size: number): Float64Array {
  const elements = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const [bases, offsets] = [size, 1].map((step) => Int32Array.from({ length: size }, (_, i) => step * i));
  if (bases === undefined || offsets === undefined) throw new Error("no places");
  mixInPlace(elements, [{ space: 0, isInverse: false, bases, offsets }], {
    matrices: [matrix],
    inverses: [],
  });
  return elements;
}

const sumOver = (size: number, term: (k: number) => number) =>
  Array.from({ length: size }, (_, k) => term(k)).reduce((sum, value) => sum + value, 0);

describe("randomMixture()", () => {
  test.each(MIXING_GROUPS)("draws matrices of their group, and their inverses: %s", (group) => {
    const sizes = group.endsWith("complex") ? fc.constant(2) : fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(sizes, fc.nat(1000), (size, seed) => {
        const space = { symmetry: "cell", cell: 0, firstUnit: 0, size, group };
        const { matrices, inverses } = randomMixture([space], seed);
        const [[one], [two]] = [matrices, inverses];
        if (one === undefined || two === undefined) throw new Error("nothing is drawn");
        const [matrix, inverse] = [elementsOf(one, size), elementsOf(two, size)];
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            const product = sumOver(
              size,
              (k) => Number(matrix[i * size + k]) * Number(inverse[j * size + k]),
            );
            expect(product).toBeCloseTo(i === j ? 1 : 0, 10);
            const isRigid = group !== "invertible" && group !== "complex";
            if (isRigid) expect(inverse[i * size + j]).toBeCloseTo(Number(matrix[i * size + j]), 10);
          }
          if (group === "orthogonal-keeping-ones") {
            expect(sumOver(size, (k) => Number(matrix[i * size + k]))).toBeCloseTo(1, 10);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("moves the units of a large space by far more than the tolerance of a proof", () => {
    const size = 768;
    for (const group of ["invertible", "orthogonal", "orthogonal-keeping-ones"] as const) {
      const space = { symmetry: "cell", cell: 0, firstUnit: 0, size, group };
      const [matrix] = randomMixture([space], 0).matrices;
      if (matrix === undefined) throw new Error("nothing is drawn");
      // A proof compares many vectors, such as all tokens: one alone may be orthogonal to the direction.
      const vectors = 64;
      const units = Float64Array.from({ length: size * vectors }, (_, i) => Math.sin(i * i + 1));
      const mixed = units.slice();
      const places = {
        bases: Int32Array.from({ length: size }, (_, unit) => unit),
        offsets: Int32Array.from({ length: vectors }, (_, vector) => vector * size),
      };
      mixInPlace(mixed, [{ space: 0, isInverse: false, ...places }], { matrices: [matrix], inverses: [] });
      const moved = Math.sqrt(sumOver(units.length, (i) => (Number(mixed[i]) - Number(units[i])) ** 2));
      expect(moved / Math.sqrt(sumOver(units.length, (i) => Number(units[i]) ** 2))).toBeGreaterThan(0.05);
    }
  });
});

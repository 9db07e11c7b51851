import { createRandom } from "@isthmus/core";
import { createMatrix, svd, symmetricEigen } from "@isthmus/linear-algebra";
import fc from "fast-check";
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from "ml-matrix";
import { expect, test } from "vitest";

const extent = fc.integer({ min: 1, max: 24 });

function randomNumbers(count: number, seed: number): Float64Array {
  const { normal } = createRandom(seed, "small matrices");
  return Float64Array.from({ length: count }, normal);
}

/** Checks that numbers in the same order are equal to rounding. */
function expectNear(ours: Float64Array, theirs: readonly number[]) {
  expect(ours).toHaveLength(theirs.length);
  for (const [i, x] of theirs.entries()) expect(Math.abs(Number(ours[i]) - x)).toBeLessThan(1e-12);
}

test("the two libraries for small matrices find the same singular values", () =>
  fc.assert(
    fc.property(extent, extent, fc.nat(), (rows, columns, seed) => {
      const data = randomNumbers(rows * columns, seed);
      const theirs = new SingularValueDecomposition(Matrix.from1DArray(rows, columns, data), {
        autoTranspose: true,
      });
      expectNear(svd(createMatrix(rows, columns, data)).values, theirs.diagonal);
    }),
    { numRuns: 30 },
  ));

test("the two libraries for small matrices find the same eigenvalues", () =>
  fc.assert(
    fc.property(extent, fc.nat(), (size, seed) => {
      const half = Matrix.from1DArray(size, size, randomNumbers(size * size, seed));
      const sum = Matrix.add(half, half.transpose());
      const theirs = new EigenvalueDecomposition(sum, { assumeSymmetric: true }).realEigenvalues;
      const ours = symmetricEigen(createMatrix(size, size, Float64Array.from(sum.to1DArray()))).values;
      expectNear(
        ours,
        theirs.toSorted((x, y) => y - x),
      );
    }),
    { numRuns: 30 },
  ));

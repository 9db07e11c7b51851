import { createRandom } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  createMatrix,
  createProducts,
  largestEigenvectors,
  type Matrix,
  multiply,
  plainProducts,
  symmetricEigen,
  transposeMatrix,
} from "../index.ts";

const engineProducts = createProducts(createOnnxRuntimeEngine(), 1);
afterAll(() => engineProducts.release());

const random = (rows: number, columns: number, seed: number) => {
  const { normal } = createRandom(seed, `${rows} x ${columns}`);
  return createMatrix(rows, columns, Float64Array.from({ length: rows * columns }, normal));
};
const symmetric = (n: number, element: (i: number, j: number) => number) =>
  createMatrix(
    n,
    n,
    Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return element(Math.min(i, j), Math.max(i, j));
    }),
  );
const largest = (data: ArrayLike<number>) =>
  Array.from(data).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Checks that columns are orthonormal eigenvectors of the largest values, to rounding of the largest one. */
function expectEigenvectors(matrix: Matrix, { values, vectors }: { values: Float64Array; vectors: Matrix }) {
  const count = vectors.columns;
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
  const scale = Math.max(largest(values), Number.MIN_VALUE);
  const mapped = multiply(matrix, vectors);
  const residual = mapped.data.map((x, at) => x - vectors.data[at]! * values[at % count]!);
  expect(largest(residual) / scale).toBeLessThan(1e-13);
  const gram = multiply(vectors, vectors, { transposeLeft: true });
  expect(largest(gram.data.map((x, at) => x - (at % (count + 1) === 0 ? 1 : 0)))).toBeLessThan(1e-13);
  const trace = values.reduce((sum, value) => sum + value, 0);
  const diagonal = Array.from(matrix.data).filter((_, at) => at % (matrix.rows + 1) === 0);
  const expected = diagonal.reduce((sum, x) => sum + x, 0);
  expect(Math.abs(trace - expected) / scale).toBeLessThan(1e-11);
}

describe("largestEigenvectors", () => {
  test.each([plainProducts, engineProducts])(
    "are orthonormal and belong to their values, of any number and extent, by $name",
    (products) =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 160 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.integer({ min: -12, max: 12 }),
          async (n, share, exponent) => {
            const half = random(n, n, n);
            const matrix = symmetric(n, (i, j) => (half.data[i * n + j] ?? 0) * 10 ** exponent);
            const count = Math.max(1, Math.round(share * n));
            const eigen = await largestEigenvectors(matrix, count, products);
            expect(eigen.vectors.columns).toBe(count);
            expectEigenvectors(matrix, eigen);
            const exact = symmetricEigen(matrix).values;
            const error = largest(eigen.values.map((value, i) => value - exact[i]!));
            expect(error / largest(exact)).toBeLessThan(1e-13);
          },
        ),
        { numRuns: 25 },
      ),
  );

  const repeated = random(200, 6, 3);
  test.each<[string, Matrix]>([
    ["of zeros", symmetric(130, () => 0)],
    ["of the identity", symmetric(130, (i, j) => (i === j ? 1 : 0))],
    ["of equal elements", symmetric(130, () => 1)],
    ["of a chain, whose values are near each other", symmetric(150, (i, j) => [2, -1][j - i] ?? 0)],
    [
      "of Wilkinson's matrix, whose values come in pairs",
      symmetric(151, (i, j) => (i === j ? Math.abs(75 - i) : j - i === 1 ? 1 : 0)),
    ],
    ["of few directions", multiply(repeated, transposeMatrix(repeated))],
    [
      "of values over many magnitudes",
      symmetric(120, (i, j) => (i === j ? 10 ** (-i / 4) : 10 ** (-(i + j) / 6))),
    ],
    [
      "of blocks that do not touch",
      symmetric(140, (i, j) => (Math.floor(i / 20) === Math.floor(j / 20) ? 1 / (1 + i) : 0)),
    ],
  ])("are orthonormal %s", async (_, matrix) => {
    expectEigenvectors(matrix, await largestEigenvectors(matrix, matrix.rows, plainProducts));
    expectEigenvectors(matrix, await largestEigenvectors(matrix, 17, plainProducts));
  });

  test("have the same bits on one thread and on two", async () => {
    const half = random(300, 300, 5);
    const matrix = multiply(half, half, { transposeLeft: true });
    const two = createProducts(createOnnxRuntimeEngine(), 2);
    const results = [engineProducts, two].map((products) => largestEigenvectors(matrix, 100, products));
    const [one, other] = await Promise.all(results);
    expect(other).toEqual(one);
    await two.release();
  });

  test("refuse what is not square", async () => {
    await expect(largestEigenvectors(random(2, 3, 1), 1, plainProducts)).rejects.toThrow("must be square");
  });
});

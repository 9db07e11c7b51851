import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMatrix, type Matrix, multiply, svd, symmetricEigen, transposeMatrix } from "./index.ts";

const random = (rows: number, columns: number, seed: number) => {
  const { normal } = createRandom(seed, `${rows} x ${columns}`);
  return createMatrix(rows, columns, Float64Array.from({ length: rows * columns }, normal));
};
const matrixOf = (rows: number, columns: number, element: (i: number, j: number) => number) =>
  createMatrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, (_, at) => element(Math.floor(at / columns), at % columns)),
  );
/** The diagonal and the elements right of it, both from a function of the row. */
const twoDiagonals = (n: number, element: (i: number) => number) =>
  matrixOf(n, n, (i, j) => (j === i || j === i + 1 ? element(i) : 0));
const largest = (data: Matrix["data"]) => {
  let most = 0;
  for (const x of data) most = Math.max(most, Math.abs(x));
  return most;
};
const scaleColumns = (matrix: Matrix, scales: ArrayLike<number>) =>
  createMatrix(
    matrix.rows,
    matrix.columns,
    Float64Array.from(matrix.data, (x, i) => x * Number(scales[i % matrix.columns])),
  );

/** Checks that a factorization is one: falling values, orthonormal vectors, and the matrix as their product. */
function expectFactorization(matrix: Matrix) {
  const { left, values, right } = svd(matrix);
  const count = Math.min(matrix.rows, matrix.columns);
  // Some rounding errors for each step of sums as long as the matrix.
  const rounding = Number.EPSILON * (40 + 4 * count);
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
  expect(values.every((value) => value >= 0)).toBe(true);
  const product = multiply(scaleColumns(left, values), right, { transposeRight: true });
  const residual = largest(product.data.map((x, i) => x - Number(matrix.data[i])));
  expect(residual).toBeLessThanOrEqual(rounding * Number(values[0]));
  for (const vectors of [left, right]) {
    const { data } = multiply(vectors, vectors, { transposeLeft: true });
    expect(largest(data.map((x, i) => x - (i % (count + 1) === 0 ? 1 : 0)))).toBeLessThan(rounding);
  }
  return values;
}

describe("svd", () => {
  test("is a factorization of tall and wide matrices of every scale", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom(1, 1e-290, 1e-150, 1e150, 1e300),
        fc.nat(),
        (m, n, scale, seed) => {
          expectFactorization(scaleColumns(random(m, n, seed), new Float64Array(n).fill(scale)));
        },
      ),
      { numRuns: 12 },
    ));

  test("takes matrices of rank, clusters and zeros that are chosen", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 1 + Number.EPSILON, 1 - 1e-12, 1e-3, 1e-8, 1e-17, 0), {
          minLength: 1,
          maxLength: 70,
        }),
        fc.nat({ max: 9 }),
        (chosen, more) => {
          const n = chosen.length;
          const [u, v] = [random(n + more, n, 1), random(n, n, 2)].map((matrix) => svd(matrix).left);
          const matrix = multiply(scaleColumns(u as Matrix, chosen), v as Matrix, { transposeRight: true });
          const values = expectFactorization(matrix);
          const falling = chosen.toSorted((a, b) => b - a);
          for (const [i, value] of falling.entries()) expect(Number(values[i])).toBeCloseTo(value, 13);
        },
      ),
      { numRuns: 15 },
    ));

  test.each<[string, Matrix]>([
    ["zeros", matrixOf(60, 50, () => 0)],
    ["equal elements", matrixOf(50, 50, () => 1)],
    ["one element", matrixOf(70, 60, (i, j) => (i === 3 && j === 5 ? 2 : 0))],
    ["the identity", matrixOf(70, 70, (i, j) => (i === j ? 1 : 0))],
    ["equal elements on two diagonals", twoDiagonals(90, () => 1)],
    ["elements that fall along the diagonals", twoDiagonals(80, (i) => 10 ** (-i / 2))],
    ["elements that rise along the diagonals", twoDiagonals(80, (i) => 10 ** (i / 2 - 40))],
    ["elements that fall below the smallest numbers", twoDiagonals(90, (i) => 10 ** (-4 * i))],
    ["a diagonal of zeros", matrixOf(60, 60, (i, j) => (j === i + 1 ? 1 + i : 0))],
    ["pairs of values", matrixOf(101, 101, (i, j) => [Math.abs(50 - i), 1][Math.abs(i - j)] ?? 0)],
    [
      "blocks that do not touch",
      matrixOf(100, 100, (i, j) => (Math.floor(i / 10) === Math.floor(j / 10) ? 1 / (1 + i) : 0)),
    ],
    ["few directions", multiply(random(100, 3, 1), random(3, 90, 2))],
  ])("takes a matrix of %s", (_, matrix) => {
    expectFactorization(matrix);
    expectFactorization(transposeMatrix(matrix));
  });

  test("takes the smallest numbers", () => {
    const { values } = svd(
      createMatrix(2, 2, Float64Array.of(3 * Number.MIN_VALUE, 0, 0, -Number.MIN_VALUE)),
    );
    expect([...values]).toEqual([3 * Number.MIN_VALUE, Number.MIN_VALUE]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (x) => {
    const matrix = createMatrix(2, 2, Float64Array.of(1, 2, x, 3));
    expect(() => svd(matrix)).toThrow(
      `Cannot compute singular values of a 2 x 2 matrix as all elements must be finite: element 2 is ${x}`,
    );
    expect(() => symmetricEigen(matrix)).toThrow("element 2 is");
  });
});

test("eigenvalues of huge and tiny matrices are those of the matrix, scaled", () => {
  const half = random(70, 70, 3);
  const { values, vectors } = symmetricEigen(half);
  for (const exponent of [-1000, -500, 500, 1000]) {
    const scaled = symmetricEigen({ ...half, data: half.data.map((x) => x * 2 ** exponent) });
    expect(scaled.vectors).toEqual(vectors);
    expect(scaled.values).toEqual(values.map((value) => value * 2 ** exponent));
  }
});

import { createRandom } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { gramMatrix, squareOfRows } from "./gram-matrix.ts";
import {
  createMatrix,
  createProducts,
  gramSvd,
  type Matrix,
  type MatrixProducts,
  multiply,
  orthonormalize,
  plainProducts,
  polarFactor,
  sliceColumns,
  svd,
  symmetricEigen,
  transposeMatrix,
  truncatedSvd,
} from "./index.ts";

const engineProducts = createProducts(createOnnxRuntimeEngine(), 1);
afterAll(() => engineProducts.release());

const random = (
  rows: number,
  columns: number,
  seed: number,
  Elements: typeof Float64Array | typeof Float32Array = Float64Array,
) => {
  const { normal } = createRandom(seed, `${rows} x ${columns}`);
  return createMatrix(
    rows,
    columns,
    new Elements(rows * columns).map(() => normal()),
  );
};
const diagonal = (values: ArrayLike<number>) => {
  const n = values.length;
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) data[i * n + i] = values[i]!;
  return createMatrix(n, n, data);
};
const identity = (n: number) => diagonal(new Float64Array(n).fill(1));
/** A matrix with known singular values. */
const withValues = async (rows: number, columns: number, values: readonly number[]) => {
  const left = await orthonormalize(random(rows, values.length, 1), plainProducts);
  const right = await orthonormalize(random(columns, values.length, 2), plainProducts);
  return multiply(multiply(left, diagonal(values)), right, { transposeRight: true });
};
const distance = (a: Matrix, b: Matrix) => {
  expect([a.rows, a.columns]).toEqual([b.rows, b.columns]);
  return Array.from(a.data).reduce((most, x, i) => Math.max(most, Math.abs(x - b.data[i]!)), 0);
};
const toDouble = ({ rows, columns, data }: Matrix) => createMatrix(rows, columns, Float64Array.from(data));
const gram = (matrix: Matrix) => multiply(matrix, matrix, { transposeLeft: true });

const extents = fc.integer({ min: 1, max: 40 });

describe.each([plainProducts, engineProducts])("products by $name", (products) => {
  test.each([Float64Array, Float32Array])(
    "equal sums written out, for every kind of transpose, in %o",
    (Elements) =>
      fc.assert(
        fc.asyncProperty(
          extents,
          extents,
          fc.tuple(extents, fc.boolean(), fc.boolean()),
          async (m, n, [k, tl, tr]) => {
            const left = random(m, k, 1, Elements);
            const right = random(k, n, 2, Elements);
            const expected = new Float64Array(m * n);
            for (let i = 0; i < m; i++)
              for (let j = 0; j < n; j++)
                for (let p = 0; p < k; p++)
                  expected[i * n + j]! += left.data[i * k + p]! * right.data[p * n + j]!;
            const product = await products.multiply(
              tl ? transposeMatrix(left) : left,
              tr ? transposeMatrix(right) : right,
              {
                transposeLeft: tl,
                transposeRight: tr,
              },
            );
            expect(product.data).toBeInstanceOf(Elements);
            const rounding = Elements === Float64Array ? 1e-13 : 1e-4;
            expect(distance(product, createMatrix(m, n, expected))).toBeLessThan(rounding);
          },
        ),
        { numRuns: 50 },
      ),
  );

  test("are of any size, beyond blocks", async () => {
    const left = random(261, 515, 3);
    const right = random(515, 1031, 4);
    const viaOther = await (products === plainProducts ? engineProducts : plainProducts).multiply(
      left,
      right,
    );
    expect(distance(await products.multiply(left, right), viaOther)).toBeLessThan(1e-11);
  });

  test("of an empty inner dimension are zero", async () => {
    const empty = createMatrix(2, 0, new Float64Array());
    const product = await products.multiply(empty, empty, { transposeRight: true });
    expect(product).toEqual(createMatrix(2, 2, new Float64Array(4)));
  });

  test("refuse factors that do not fit", async () => {
    await expect(products.multiply(random(2, 3, 1), random(2, 3, 1))).rejects.toThrow(
      "Cannot multiply a 2 x 3 and a 2 x 3 matrix as the inner extents must be equal: they are 3 and 2",
    );
    await expect(products.multiply(random(1, 1, 1), random(1, 1, 1, Float32Array))).rejects.toThrow(
      "two element types",
    );
  });
});

test("rows of a plain product have the bits they have in the whole", () => {
  const left = random(300, 600, 5, Float32Array);
  const right = random(600, 70, 6, Float32Array);
  const whole = multiply(left, right);
  for (const [begin, end] of [
    [0, 1],
    [7, 140],
    [299, 300],
  ] as const) {
    const part = multiply(createMatrix(end - begin, 600, left.data.slice(begin * 600, end * 600)), right);
    expect(part.data).toEqual(whole.data.slice(begin * 70, end * 70));
  }
});

describe("symmetric products", () => {
  test.each([plainProducts, engineProducts])(
    "equal whole ones and are exactly symmetric, by $name",
    async (by) => {
      for (const extent of [1, 30, 513, 700]) {
        const matrix = random(extent + 7, extent, 21);
        const gramOf = await gramMatrix(matrix, by);
        expect(distance(gramOf, gram(matrix))).toBeLessThan(1e-11);
        expect(transposeMatrix(gramOf)).toEqual(gramOf);
        const square = await squareOfRows(gramOf, by);
        expect(distance(square, multiply(gramOf, gramOf)) / extent ** 2).toBeLessThan(1e-11);
        expect(transposeMatrix(square)).toEqual(square);
      }
    },
  );
});

describe("orthonormalize", () => {
  test("gives orthonormal columns that span the columns, also badly conditioned ones", async () => {
    const matrix = await withValues(
      90,
      30,
      Array.from({ length: 30 }, (_, i) => 10 ** (-i / 5)),
    );
    const basis = await orthonormalize(matrix, plainProducts);
    expect(distance(gram(basis), identity(30))).toBeLessThan(1e-13);
    const projected = multiply(basis, multiply(basis, matrix, { transposeLeft: true }));
    expect(distance(projected, matrix)).toBeLessThan(1e-14);
  });

  test("does so where factors are computed by halves, with columns that depend on others on both sides", async () => {
    const matrix = random(150, 120, 11);
    for (let i = 0; i < 150; i++) {
      const row = matrix.data.subarray(i * 120, (i + 1) * 120);
      row[17] = row[3]! - row[5]!;
      row[100] = row[3]! + row[99]!;
    }
    const basis = await orthonormalize(matrix, plainProducts);
    const ones = Float64Array.from({ length: 120 }, (_, i) => (i === 17 || i === 100 ? 0 : 1));
    expect(distance(gram(basis), diagonal(ones))).toBeLessThan(1e-13);
    const projected = multiply(basis, multiply(basis, matrix, { transposeLeft: true }));
    expect(distance(projected, matrix)).toBeLessThan(1e-12);
  });

  test("makes columns zero that depend on earlier ones", async () => {
    const matrix = createMatrix(3, 3, Float64Array.of(1, 2, 0, 1, 2, 0, 0, 0, 5));
    const basis = await orthonormalize(matrix, plainProducts);
    expect(distance(gram(basis), diagonal([1, 0, 1]))).toBeLessThan(1e-15);
  });
});

describe("svd", () => {
  test("is a factorization with falling values and orthonormal vectors", () =>
    fc.assert(
      fc.property(extents, extents, fc.nat(), (m, n, seed) => {
        const matrix = random(m, n, seed);
        const { left, values, right } = svd(matrix);
        expect([...values]).toEqual([...values].sort((a, b) => b - a));
        const product = multiply(multiply(left, diagonal(values)), right, { transposeRight: true });
        expect(distance(product, matrix)).toBeLessThan(1e-12);
        expect(distance(gram(left), identity(values.length))).toBeLessThan(1e-12);
        expect(distance(gram(right), identity(values.length))).toBeLessThan(1e-12);
      }),
      { numRuns: 40 },
    ));

  test("keeps the digits of small singular values", () => {
    // A column scale is no rounding error: relative accuracy survives it.
    const scales = Array.from({ length: 12 }, (_, i) => 10 ** -i);
    const base = random(12, 12, 7);
    const { values } = svd(multiply(base, diagonal(scales)));
    const smallest = svd(multiply(diagonal(scales.map((x) => 1 / x)), inverse(base))).values[0]!;
    expect(values[11]! * smallest).toBeCloseTo(1, 8);
  });

  test("of zeros has values of zero, and vectors of length 1", () => {
    const { values, left } = svd(createMatrix(3, 2, new Float64Array(6)));
    expect([...values]).toEqual([0, 0]);
    expect(distance(gram(left), identity(2))).toBe(0);
  });
});

/** The inverse by the singular values of a well-conditioned matrix. */
function inverse(matrix: Matrix): Matrix {
  const { left, values, right } = svd(matrix);
  return multiply(multiply(right, diagonal(values.map((x) => 1 / x))), left, { transposeRight: true });
}

describe("gramSvd", () => {
  test.each([
    [70, 40],
    [40, 70],
    [2100, 30],
    [30, 2100],
  ])("is the largest part of the factorization, %i x %i", async (m, n) => {
    const matrix = random(m, n, 12);
    const exact = svd(matrix);
    const { left, values, right } = await gramSvd(matrix, plainProducts, { rank: 9 });
    for (let i = 0; i < 9; i++) expect(values[i]).toBeCloseTo(exact.values[i]!, 11);
    const first = (u: Matrix) => sliceColumns(u, 0, 9);
    const low = (u: Matrix, v: Matrix) =>
      multiply(multiply(u, diagonal(values)), v, { transposeRight: true });
    expect(distance(low(left, right), low(first(exact.left), first(exact.right)))).toBeLessThan(1e-10);
  });

  test("leaves out what is zero", async () => {
    const matrix = multiply(random(30, 4, 1), random(4, 20, 2));
    expect((await gramSvd(matrix, plainProducts)).values).toHaveLength(4);
    expect((await gramSvd(createMatrix(3, 2, new Float64Array(6)), plainProducts)).left.data).toHaveLength(0);
  });
});

describe("symmetricEigen", () => {
  test("is a factorization with falling values and orthonormal vectors", () =>
    fc.assert(
      fc.property(extents, fc.nat(), (n, seed) => {
        const half = random(n, n, seed);
        const matrix = createMatrix(
          n,
          n,
          half.data.map((x, i) => x + half.data[(i % n) * n + Math.floor(i / n)]!),
        );
        const { values, vectors } = symmetricEigen(matrix);
        expect([...values]).toEqual([...values].sort((a, b) => b - a));
        const product = multiply(multiply(vectors, diagonal(values)), vectors, { transposeRight: true });
        expect(distance(product, matrix)).toBeLessThan(1e-12);
        expect(distance(gram(vectors), identity(n))).toBeLessThan(1e-12);
      }),
      { numRuns: 40 },
    ));

  test("agrees with the singular values of a Gram matrix", () => {
    const matrix = random(50, 33, 8);
    const { values } = symmetricEigen(gram(matrix));
    const singular = svd(matrix).values;
    for (let i = 0; i < 33; i++) expect(values[i]! / singular[i]! ** 2).toBeCloseTo(1, 10);
  });

  test("takes diagonal and constant matrices", () => {
    expect([...symmetricEigen(diagonal([1, 3, 2])).values]).toEqual([3, 2, 1]);
    expect(symmetricEigen(createMatrix(4, 4, new Float64Array(16).fill(1))).values[0]).toBeCloseTo(4, 13);
    expect(() => symmetricEigen(random(2, 3, 1))).toThrow("must be square");
  });
});

describe("polarFactor", () => {
  test("is the product of the singular vectors", () =>
    fc.assert(
      fc.asyncProperty(extents, extents, fc.nat(), async (m, n, seed) => {
        const matrix = random(m, n, seed);
        const { left, values, right } = svd(matrix);
        fc.pre(values.at(-1)! > 1e-6 * values[0]!);
        const expected = multiply(left, right, { transposeRight: true });
        expect(distance(await polarFactor(matrix, plainProducts), expected)).toBeLessThan(1e-9);
      }),
      { numRuns: 30 },
    ));

  test("resolves singular values down to the smallest asked for", async () => {
    const values = Array.from({ length: 20 }, (_, i) => 10 ** (-i * 0.45));
    const factor = await polarFactor(await withValues(60, 20, values), plainProducts);
    expect(distance(gram(factor), identity(20))).toBeLessThan(1e-13);
  });

  test("in f32 is orthonormal to rounding", async () => {
    const factor = await polarFactor(random(80, 50, 9, Float32Array), engineProducts);
    expect(distance(gram(factor), identity(50))).toBeLessThan(2e-6);
  });

  test.each([
    [90, 20],
    [20, 90],
    [2100, 20],
    [20, 2100],
  ])("of a long f32 matrix, %i x %i, is the product of the singular vectors", async (m, n) => {
    const values = Array.from({ length: 20 }, (_, i) => 10 ** (-i / 10));
    const matrix = await withValues(m, n, values);
    const single = createMatrix(m, n, Float32Array.from(matrix.data));
    const { left, right } = svd(matrix);
    const expected = multiply(left, right, { transposeRight: true });
    expect(distance(await polarFactor(single, plainProducts), expected)).toBeLessThan(1e-5);
  });

  test("of a long f32 matrix takes few products where no singular value is small", async () => {
    let count = 0;
    const counting: MatrixProducts = {
      ...plainProducts,
      multiply(left, right, options) {
        count++;
        return plainProducts.multiply(left, right, options);
      },
    };
    const countOf = async (least: number) => {
      const values = Array.from({ length: 20 }, (_, i) => least ** (i / 19));
      const { data } = await withValues(90, 20, values);
      count = 0;
      await polarFactor(createMatrix(90, 20, Float32Array.from(data)), counting);
      return count;
    };
    // Each step is three products; the rational step, which nearly equal values do not need, spares most others.
    expect(await countOf(0.5)).toBeLessThanOrEqual((await countOf(1e-4)) - 3);
    expect(await countOf(1e-4)).toBeLessThanOrEqual(20);
  });

  test("does not depend on the size of elements, also in f32", async () => {
    const matrix = random(40, 30, 13, Float32Array);
    const of = (scale: number) =>
      polarFactor({ ...matrix, data: matrix.data.map((x) => scale * x) }, plainProducts);
    for (const scale of [2 ** -60, 2 ** 40]) expect(await of(scale)).toEqual(await of(1));
  });

  test("of zeros is zero, of rank one is the outer product", async () => {
    const zero = createMatrix(2, 3, new Float64Array(6));
    expect(await polarFactor(zero, plainProducts)).toEqual(zero);
    const one = createMatrix(2, 2, Float64Array.of(3, 3, 3, 3));
    const half = createMatrix(2, 2, Float64Array.of(0.5, 0.5, 0.5, 0.5));
    expect(distance(await polarFactor(one, plainProducts), half)).toBeLessThan(1e-15);
  });
});

describe("truncatedSvd", () => {
  test("finds the largest values and vectors of a matrix whose values fall", async () => {
    const values = Array.from({ length: 120 }, (_, i) => 0.9 ** i);
    const matrix = await withValues(200, 150, values);
    const { left, values: largest, right } = await truncatedSvd(matrix, 10, plainProducts, { seed: 3 });
    // The error falls as the ratio of the first value left out, 12 further on, to the power 2 (2 q + 1) = 14.
    const bound = 0.9 ** (13 * 14);
    for (let i = 0; i < 10; i++) expect(Math.abs(largest[i]! - values[i]!)).toBeLessThan(bound);
    const exact = svd(matrix);
    const low = (u: Matrix, v: Matrix) =>
      multiply(multiply(u, diagonal(largest)), v, { transposeRight: true });
    const first = (u: Matrix) => sliceColumns(u, 0, 10);
    expect(distance(low(left, right), low(first(exact.left), first(exact.right)))).toBeLessThan(
      // Vectors err by the square root of what values err by.
      0.9 ** (13 * 7),
    );
  });

  test("is exact on matrices of low rank, and the same for the same seed", async () => {
    const matrix = multiply(random(100, 5, 1, Float32Array), random(5, 90, 2, Float32Array));
    const { left, values, right, residual } = await truncatedSvd(matrix, 8, engineProducts);
    const scaled = createMatrix(
      100,
      8,
      left.data.map((x, i) => x * values[i % 8]!),
    );
    expect(distance(multiply(scaled, right, { transposeRight: true }), matrix)).toBeLessThan(2e-5);
    expect(residual / values[0]!).toBeLessThan(1e-6);
    const two = createProducts(createOnnxRuntimeEngine(), 2);
    expect(await truncatedSvd(matrix, 8, two)).toEqual({ left, values, right, residual });
    await two.release();
  });

  test("leaves out no more than the best approximation, but for what the spare directions miss", async () => {
    const matrix = random(160, 140, 17, Float32Array);
    const exact = svd(matrix).values;
    for (const rank of [8, 20, 64]) {
      const { left, values, right, residual } = await truncatedSvd(matrix, rank, engineProducts);
      const best = Math.hypot(...exact.slice(rank));
      expect(residual / best).toBeGreaterThan(1 - 1e-6);
      // Singular values of noise fall so slowly that no other matrix is harder.
      expect(residual / best).toBeLessThan(1.005);
      const low = multiply(multiply(toDouble(left), diagonal(values)), toDouble(right), {
        transposeRight: true,
      });
      expect(Math.hypot(...low.data.map((x, i) => x - matrix.data[i]!)) / residual).toBeCloseTo(1, 6);
    }
  });

  test("refuses ranks that are none", async () => {
    await expect(truncatedSvd(random(70, 70, 1), 0, plainProducts)).rejects.toThrow(/rank/);
  });
});

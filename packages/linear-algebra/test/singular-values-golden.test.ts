import { createMatrix, plainProducts, polarFactor, svd, symmetricEigen } from "@isthmus/linear-algebra";
import { expect, test } from "vitest";
import cases from "./golden/singular-values.json" with { type: "json" };

const waves = (rows: number, columns: number, seed: number) =>
  createMatrix(
    rows,
    columns,
    Float64Array.from(
      { length: rows * columns },
      (_, i) => Math.sin(0.01 * (i + 1) ** 2 + seed) / (1 + (i % columns)) ** 2,
    ),
  );

/** Checks that numbers are equal to rounding of a size. */
function expectNear(ours: Float64Array, theirs: readonly number[], size: number) {
  expect(ours).toHaveLength(theirs.length);
  for (const [i, x] of theirs.entries()) expect(Math.abs(Number(ours[i]) - x) / size).toBeLessThan(1e-14);
}

test.each(cases)("are those of NumPy, $rows x $columns", async ({ rows, columns, seed, ...theirs }) => {
  const matrix = waves(rows, columns, seed);
  const { values } = svd(matrix);
  expectNear(values, theirs.values, Number(theirs.values[0]));
  if (theirs.eigenvalues !== undefined) {
    const sum = matrix.data.map((x, i) => x + Number(matrix.data[(i % rows) * rows + Math.floor(i / rows)]));
    const eigen = symmetricEigen(createMatrix(rows, rows, sum as Float64Array));
    expectNear(eigen.values, theirs.eigenvalues, Number(theirs.values[0]));
  }
  if (theirs.polar !== undefined) {
    const { data } = await polarFactor(matrix, plainProducts, { smallest: 1e-12 });
    // The error of a polar factor is that of the matrix over the smallest singular value.
    expectNear(data as Float64Array, theirs.polar, Number(theirs.values[0]) / Number(theirs.values.at(-1)));
  }
});

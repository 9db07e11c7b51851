import { mirrorUpper } from "./kernels/copies.ts";
import { type Matrix, sliceColumns, zerosLike } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/** Columns that are multiplied by all later ones at once; what lies below the diagonal is not computed. */
const STRIP = 512;

/**
 * Computes the Gram matrix of the columns of a matrix; one product of all its columns computes about twice
 * as much for large matrices.
 * @param matrix - `[m, n]`
 * @returns `matrix^T matrix`, `[n, n]`, exactly symmetric
 */
export async function gramMatrix(matrix: Matrix, products: MatrixProducts): Promise<Matrix> {
  const n = matrix.columns;
  const gram = zerosLike(matrix, n, n);
  for (let begin = 0; begin < n; begin += STRIP) {
    const end = Math.min(n, begin + STRIP);
    const strip = n <= STRIP ? matrix : sliceColumns(matrix, begin, end);
    const rest = begin === 0 ? matrix : sliceColumns(matrix, begin, n);
    const part = await products.multiply(strip, rest, { transposeLeft: true });
    for (let i = begin; i < end; i++) {
      const row = (i - begin) * part.columns;
      gram.data.set(part.data.subarray(row + i - begin, row + part.columns), i * n + i);
    }
  }
  mirrorUpper(gram.data, n);
  return gram;
}

/**
 * Computes the square of a symmetric matrix; rows of it serve as columns, so that nothing is copied.
 * @param matrix - `[n, n]`, symmetric
 * @returns `[n, n]`, exactly symmetric
 */
export async function squareOfSymmetric(
  { columns: n, data }: Matrix,
  products: MatrixProducts,
): Promise<Matrix> {
  const square = zerosLike({ data }, n, n);
  for (let begin = 0; begin < n; begin += STRIP) {
    const end = Math.min(n, begin + STRIP);
    const strip = { rows: end - begin, columns: n, data: data.subarray(begin * n, end * n) };
    const rest = { rows: n - begin, columns: n, data: data.subarray(begin * n) };
    const part = await products.multiply(strip, rest, { transposeRight: true });
    for (let i = begin; i < end; i++) {
      const row = (i - begin) * part.columns;
      square.data.set(part.data.subarray(row + i - begin, row + part.columns), i * n + i);
    }
  }
  mirrorUpper(square.data, n);
  return square;
}

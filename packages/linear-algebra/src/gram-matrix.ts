import { mirrorUpper } from "./kernels/copies.ts";
import { type Matrix, sliceColumns, zerosLike } from "./matrix.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/**
 * Number of columns that are multiplied by all later ones at once; elements below the diagonal are not
 * computed.
 */
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
 * Computes the Gram matrix of the rows of a matrix, without copying any of them; for a symmetric matrix it is
 * the square.
 * @param matrix - `[n, k]`
 * @returns `matrix matrix^T`, `[n, n]`, exactly symmetric
 */
export async function squareOfRows(matrix: Matrix, products: MatrixProducts): Promise<Matrix> {
  const { rows: n, columns: k, data } = matrix;
  const square = zerosLike(matrix, n, n);
  for (let begin = 0; begin < n; begin += STRIP) {
    const end = Math.min(n, begin + STRIP);
    const strip = { rows: end - begin, columns: k, data: data.subarray(begin * k, end * k) };
    const rest = { rows: n - begin, columns: k, data: data.subarray(begin * k) };
    const part = await products.multiply(strip, rest, { transposeRight: true });
    for (let i = begin; i < end; i++) {
      const row = (i - begin) * part.columns;
      square.data.set(part.data.subarray(row + i - begin, row + part.columns), i * n + i);
    }
  }
  mirrorUpper(square.data, n);
  return square;
}

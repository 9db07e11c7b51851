import { at } from "@isthmus/core";
import { combineInto } from "../kernels/copies.ts";
import { innerOfRows } from "../kernels/symmetric-rows.ts";
import type { Matrix } from "../matrix.ts";
import type { MatrixProducts } from "../products/matrix-products.ts";
import type { Reflections } from "./tridiagonalize.ts";

/**
 * Multiplies columns by the product of all reflections, in place: eigenvectors of the three diagonals become
 * eigenvectors of the whole matrix.
 *
 * Source: Schreiber and Van Loan, A storage-efficient WY representation for products of Householder
 * transformations, 1989.
 * @param columns - `[n, count]`, f64
 */
export async function applyReflections(
  columns: Matrix,
  reflections: readonly Reflections[],
  products: MatrixProducts,
): Promise<void> {
  const width = columns.columns;
  for (const { vectors, scales, begin } of [...reflections].reverse()) {
    // All vectors of a block are zero up to its beginning, so earlier rows do not change.
    const first = begin + 1;
    const rest = columns.data.subarray(first * width);
    const height = columns.rows - first;
    const short = dropColumns(vectors, first);
    const factor = triangularFactor(short, scales);
    const along = await products.multiply(short, { rows: height, columns: width, data: rest });
    const turned = await products.multiply(factor, along);
    const change = await products.multiply(short, turned, { transposeLeft: true });
    combineInto(rest, 1, { y: change.data, shift: -1 }, rest);
  }
}

function dropColumns({ rows, columns, data }: Matrix, count: number): Matrix {
  const width = columns - count;
  const short = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    short.set(data.subarray(i * columns + count, (i + 1) * columns), i * width);
  }
  return { rows, columns: width, data: short };
}

/** Computes the upper triangular T with which the product of the reflections is `I - V^T T V`. */
function triangularFactor({ rows: count, columns, data }: Matrix, scales: Float64Array): Matrix {
  const factor = new Float64Array(count * count);
  const rowOf = (i: number) => data.subarray(i * columns, (i + 1) * columns) as Float64Array;
  for (let i = 0; i < count; i++) {
    const scale = at(scales, i, "scale");
    for (let j = 0; j < i; j++) {
      const overlap = innerOfRows(rowOf(j), rowOf(i), { begin: 0, end: columns });
      for (let k = 0; k <= j; k++) {
        const place = k * count + i;
        factor[place] = at(factor, place, "element") - scale * overlap * at(factor, k * count + j, "element");
      }
    }
    factor[i * count + i] = scale;
  }
  return { rows: count, columns: count, data: factor };
}

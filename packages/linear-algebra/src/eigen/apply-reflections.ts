import { at } from "@isthmus/core";
import { combineInto } from "../kernels/copies.ts";
import type { Matrix } from "../matrix.ts";
import { type ProductSteps, productOf } from "../products/product-steps.ts";
import type { Reflections } from "./tridiagonalize.ts";

/**
 * Multiplies columns by the product of all reflections, in place: eigenvectors of the three diagonals become
 * eigenvectors of the whole matrix.
 *
 * Source: Schreiber and Van Loan, A storage-efficient WY representation for products of Householder
 * transformations, 1989.
 * @param columns - `[n, count]`, f64
 */
export function* applyReflections(columns: Matrix, reflections: readonly Reflections[]): ProductSteps<void> {
  const width = columns.columns;
  for (const { vectors, scales, begin } of [...reflections].reverse()) {
    // All vectors of a block are zero up to its beginning, so earlier rows do not change.
    const first = begin + 1;
    const rest = columns.data.subarray(first * width);
    const height = columns.rows - first;
    if (height <= 0) continue;
    const short = dropColumns(vectors, first);
    const overlaps = yield* productOf(short, short, { transposeRight: true });
    const factor = triangularFactor(overlaps, scales);
    const along = yield* productOf(short, { rows: height, columns: width, data: rest });
    const turned = yield* productOf(factor, along);
    const change = yield* productOf(short, turned, { transposeLeft: true });
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

/**
 * Computes the upper triangular T with which the product of the reflections is `I - V^T T V`.
 * @param overlaps - inner products of the vectors, `V V^T`
 */
function triangularFactor({ rows: count, data }: Matrix, scales: Float64Array): Matrix {
  const factor = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const scale = at(scales, i, "scale");
    for (let j = 0; j < i; j++) {
      const change = scale * at(data, j * count + i, "overlap");
      for (let k = 0; k <= j; k++) {
        const place = k * count + i;
        factor[place] = (factor[place] as number) - change * (factor[k * count + j] as number);
      }
    }
    factor[i * count + i] = scale;
  }
  return { rows: count, columns: count, data: factor };
}

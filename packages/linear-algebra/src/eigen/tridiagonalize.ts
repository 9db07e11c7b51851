import { at } from "@isthmus/core";
import { reflectInPlace } from "../kernels/reflect.ts";
import { addRow } from "../kernels/symmetric-rows.ts";
import type { Matrix } from "../matrix.ts";
import { type ProductSteps, productOf } from "../products/product-steps.ts";
import type { PanelKernel } from "./panel-kernel.ts";

/** Number of reflections that are gathered before the rest of the matrix is updated by a product. */
export const PANEL = 64;
/** Number of rows of the rest that are updated by one product; fewer rows compute less of the lower half. */
const STRIP = 512;

/** Reflections `I - scale v v^T`, to be applied one after another. */
export interface Reflections {
  /** Vectors `[count, n]`, one a row; each is zero up to the position of the reflection. */
  readonly vectors: Matrix;
  /** Scales, `[count]`. */
  readonly scales: Float64Array;
  /** Position of the first reflection; its vector is zero up to there. */
  readonly begin: number;
}

/** A symmetric matrix as `Q T Q^T`, where T has three diagonals. */
export interface Tridiagonal {
  /** Diagonal of T, `[n]`. */
  readonly diagonal: Float64Array;
  /** Elements beside the diagonal of T, `[n - 1]`. */
  readonly beside: Float64Array;
  /** Reflections whose product is Q, the first one leftmost. */
  readonly reflections: readonly Reflections[];
}

/**
 * Reduces a symmetric matrix to three diagonals by reflections, half of the work by products.
 *
 * Source: Dongarra, Sorensen and Hammarling, Block reduction of matrices to condensed forms for eigenvalue
 * computations, 1989 (`dlatrd` of LAPACK).
 * @param kernel - kernel with the matrix `[n, n]`, which is overwritten
 */
export function* tridiagonalize(kernel: PanelKernel, n: number): ProductSteps<Tridiagonal> {
  const { data } = kernel;
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(Math.max(0, n - 1));
  const reflections: Reflections[] = [];
  for (let begin = 0; begin < n - 2; begin += PANEL) {
    const count = Math.min(PANEL, n - 2 - begin);
    reflections.push(reducePanel(kernel, n, { begin, count, diagonal, beside }));
    yield* updateRest(kernel, n, begin + count);
  }
  for (let i = Math.max(0, n - 2); i < n; i++) diagonal[i] = at(data, i * (n + 1), "diagonal element");
  if (n > 1) beside[n - 2] = at(data, (n - 2) * n + n - 1, "element");
  kernel.release();
  return { diagonal, beside, reflections };
}

/** A panel of rows to reduce, and the arrays for its results. */
interface PanelRequest {
  readonly begin: number;
  readonly count: number;
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
}

/** Finds the reflections that reduce some rows, without updating the rows below them. */
function reducePanel(
  kernel: PanelKernel,
  n: number,
  { begin, count, diagonal, beside }: PanelRequest,
): Reflections {
  const scales = new Float64Array(count);
  kernel.vectors.fill(0);
  kernel.updates.fill(0);
  for (let k = 0; k < count; k++) {
    const i = begin + k;
    kernel.bringUpToDate(i, k);
    const row = kernel.data.subarray(i * n, (i + 1) * n);
    diagonal[i] = at(row, i, "diagonal element");
    const vector = kernel.vectors.subarray(k * n, (k + 1) * n);
    vector.set(row.subarray(i + 1), i + 1);
    const reflection = reflectInPlace(vector, i + 1);
    beside[i] = reflection.result;
    scales[k] = reflection.scale;
    if (reflection.scale !== 0) kernel.addUpdate(k, i + 1, reflection.scale);
  }
  return { vectors: { rows: count, columns: n, data: kernel.vectors.slice(0, count * n) }, scales, begin };
}

/** Applies a panel to the rows and columns after it, in the upper half. */
function* updateRest({ data, vectors, updates }: PanelKernel, n: number, begin: number): ProductSteps<void> {
  for (let top = begin; top < n; top += STRIP) {
    const bottom = Math.min(n, top + STRIP);
    const left = stackColumns([vectors, updates], PANEL, { begin: top, end: bottom });
    const right = stackColumns([updates, vectors], PANEL, { begin: top, end: n });
    const change = (yield* productOf(left, right, { transposeLeft: true })).data as Float64Array;
    const width = n - top;
    for (let i = top; i < bottom; i++) {
      const row = data.subarray(i * n + top, (i + 1) * n);
      const of = change.subarray((i - top) * width, (i - top + 1) * width);
      addRow(row, -1, of, { begin: i - top, end: width });
    }
  }
}

/** Copies a range of columns of two panels of `count` rows, one below the other. */
export function stackColumns(
  panels: readonly [Float64Array, Float64Array],
  count: number,
  { begin, end }: { readonly begin: number; readonly end: number },
): Matrix {
  const width = end - begin;
  const stacked = new Float64Array(2 * count * width);
  let to = 0;
  for (const panel of panels) {
    const length = panel.length / count;
    for (let i = 0; i < count; i++, to += width) {
      stacked.set(panel.subarray(i * length + begin, i * length + end), to);
    }
  }
  return { rows: 2 * count, columns: width, data: stacked };
}

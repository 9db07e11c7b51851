import { at } from "@isthmus/core";
import { addRow, innerOfRows, multiplySymmetric } from "../kernels/symmetric-rows.ts";
import type { Matrix } from "../matrix.ts";
import type { MatrixProducts } from "../products/matrix-products.ts";

/** Reflections that are gathered before the rest of the matrix is updated by a product. */
const PANEL = 32;
/** Rows of the rest that are updated by one product; smaller ones compute less of the lower half. */
const STRIP = 512;

/** Reflections `I - scale v v^T`, to be applied one after another. */
export interface Reflections {
  /** `[count, n]`, one vector a row; zero up to the position of the reflection. */
  readonly vectors: Matrix;
  /** `[count]` */
  readonly scales: Float64Array;
  /** Position of the first reflection; its vector is zero up to there. */
  readonly begin: number;
}

/** A symmetric matrix as `Q T Q^T`, where T has three diagonals. */
export interface Tridiagonal {
  /** `[n]`, diagonal of T. */
  readonly diagonal: Float64Array;
  /** `[n - 1]`, elements beside the diagonal. */
  readonly beside: Float64Array;
  /** Q is the product of all reflections, the first one leftmost. */
  readonly reflections: readonly Reflections[];
}

/**
 * Reduces a symmetric matrix to three diagonals by reflections, half of the work by products.
 *
 * Source: Dongarra, Sorensen and Hammarling, Block reduction of matrices to condensed forms for eigenvalue
 * computations, 1989 (`dlatrd` of LAPACK).
 * @param matrix - `[n, n]`, f64, of which the upper half is read; it is overwritten
 */
export async function tridiagonalize(matrix: Matrix, products: MatrixProducts): Promise<Tridiagonal> {
  const n = matrix.rows;
  const data = matrix.data as Float64Array;
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(Math.max(0, n - 1));
  const reflections: Reflections[] = [];
  for (let begin = 0; begin < n - 2; begin += PANEL) {
    const count = Math.min(PANEL, n - 2 - begin);
    const panel = reducePanel(data, n, { begin, count, diagonal, beside });
    reflections.push(panel.reflections);
    await updateRest(matrix, begin + count, panel, products);
  }
  for (let i = Math.max(0, n - 2); i < n; i++) diagonal[i] = at(data, i * (n + 1), "diagonal element");
  if (n > 1) beside[n - 2] = at(data, (n - 2) * n + n - 1, "element");
  return { diagonal, beside, reflections };
}

/** What a panel of rows leaves: reflections V, and rows W with which the rest is `A - V^T W - W^T V`. */
interface Panel {
  readonly reflections: Reflections;
  readonly updates: Matrix;
}

interface PanelRequest {
  readonly begin: number;
  readonly count: number;
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
}

/** Finds the reflections that reduce some rows, without updating what is below them. */
function reducePanel(data: Float64Array, n: number, { begin, count, diagonal, beside }: PanelRequest): Panel {
  const vectors = new Float64Array(count * n);
  const updates = new Float64Array(count * n);
  const scales = new Float64Array(count);
  const earlier: { readonly v: Float64Array; readonly w: Float64Array }[] = [];
  for (let k = 0; k < count; k++) {
    const i = begin + k;
    const row = data.slice(i * n, (i + 1) * n);
    for (const { v, w } of earlier) {
      addRow(row, -at(v, i, "element"), w, { begin: i, end: n });
      addRow(row, -at(w, i, "element"), v, { begin: i, end: n });
    }
    diagonal[i] = at(row, i, "diagonal element");
    const v = vectors.subarray(k * n, (k + 1) * n);
    const reflection = reflect(row, i + 1, v);
    beside[i] = reflection.result;
    scales[k] = reflection.scale;
    const w = updates.subarray(k * n, (k + 1) * n);
    const range = { begin: i + 1, end: n };
    if (reflection.scale !== 0) {
      multiplySymmetric({ data, extent: n, begin: i + 1 }, v, w);
      for (const { v: earlierV, w: earlierW } of earlier) {
        const ofV = innerOfRows(earlierV, v, range);
        const ofW = innerOfRows(earlierW, v, range);
        addRow(w, -ofW, earlierV, range);
        addRow(w, -ofV, earlierW, range);
      }
      for (let j = i + 1; j < n; j++) w[j] = reflection.scale * at(w, j, "element");
      addRow(w, -0.5 * reflection.scale * innerOfRows(w, v, range), v, range);
    }
    earlier.push({ v, w });
  }
  const rows = (elements: Float64Array): Matrix => ({ rows: count, columns: n, data: elements });
  return { reflections: { vectors: rows(vectors), scales, begin }, updates: rows(updates) };
}

/**
 * Makes the reflection that maps a row, from an element on, to a multiple of its first element.
 * @param out - the vector of the reflection, whose element at `begin` is 1
 */
function reflect(row: Float64Array, begin: number, out: Float64Array): { scale: number; result: number } {
  const head = at(row, begin, "element");
  const range = { begin: begin + 1, end: row.length };
  const rest = innerOfRows(row, row, range);
  if (rest === 0) return { scale: 0, result: head };
  const length = Math.sqrt(head ** 2 + rest);
  const result = head > 0 ? -length : length;
  addRow(out, 1 / (head - result), row, range);
  out[begin] = 1;
  return { scale: (result - head) / result, result };
}

/** Applies a panel to the rows and columns after it, in the upper half. */
async function updateRest(
  matrix: Matrix,
  begin: number,
  { reflections: { vectors }, updates }: Panel,
  products: MatrixProducts,
): Promise<void> {
  const { columns: n, data } = matrix;
  for (let top = begin; top < n; top += STRIP) {
    const bottom = Math.min(n, top + STRIP);
    const left = stackColumns(vectors, updates, { begin: top, end: bottom });
    const right = stackColumns(updates, vectors, { begin: top, end: n });
    const change = (await products.multiply(left, right, { transposeLeft: true })).data as Float64Array;
    const width = n - top;
    for (let i = top; i < bottom; i++) {
      const row = data.subarray(i * n + top, (i + 1) * n) as Float64Array;
      const of = change.subarray((i - top) * width, (i - top + 1) * width);
      addRow(row, -1, of, { begin: i - top, end: width });
    }
  }
}

/** Copies a range of columns of two matrices, one below the other. */
function stackColumns(
  upper: Matrix,
  lower: Matrix,
  { begin, end }: { readonly begin: number; readonly end: number },
): Matrix {
  const width = end - begin;
  const stacked = new Float64Array((upper.rows + lower.rows) * width);
  let to = 0;
  for (const { rows, columns, data } of [upper, lower]) {
    for (let i = 0; i < rows; i++, to += width) {
      stacked.set(data.subarray(i * columns + begin, i * columns + end), to);
    }
  }
  return { rows: upper.rows + lower.rows, columns: width, data: stacked };
}

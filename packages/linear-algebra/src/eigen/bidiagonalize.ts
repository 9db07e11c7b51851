import { reflectInPlace } from "../kernels/reflect.ts";
import { addRow } from "../kernels/symmetric-rows.ts";
import { type ProductSteps, productOf } from "../products/product-steps.ts";
import type { PairPanelKernel, Side } from "./pair-panel-kernel.ts";
import { type Reflections, stackColumns } from "./tridiagonalize.ts";

/** Number of pairs of reflections that are gathered before the rest of the matrix is updated by a product. */
export const PAIR_PANEL = 32;
/** Number of rows of the rest that are updated by one product, whose result takes memory. */
const STRIP = 512;

/** Size below which an element counts as zero in a matrix whose largest element is about 1. */
const NOTHING = 1e-280;

/** A matrix as `Q B P^T`, where B has a diagonal and the elements right of it. */
export interface Bidiagonal {
  /** Diagonal of B, `[n]`. */
  readonly diagonal: Float64Array;
  /** Elements right of the diagonal of B, `[n - 1]`. */
  readonly beside: Float64Array;
  /** Reflections whose product is Q (left) and P (right), the first one leftmost. */
  readonly reflections: Readonly<Record<Side, readonly Reflections[]>>;
}

/**
 * Reduces a matrix with at least as many rows as columns to two diagonals by reflections, half of the work by
 * products.
 *
 * Source: Dongarra, Sorensen and Hammarling, Block reduction of matrices to condensed forms for eigenvalue
 * computations, 1989 (`dlabrd` of LAPACK).
 * @param kernel - kernel with the matrix `[m, n]`, which is overwritten
 */
export function* bidiagonalize(kernel: PairPanelKernel, m: number, n: number): ProductSteps<Bidiagonal> {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(Math.max(0, n - 1));
  const left: Reflections[] = [];
  const right: Reflections[] = [];
  for (let begin = 0; begin < n; begin += PAIR_PANEL) {
    const count = Math.min(PAIR_PANEL, n - begin);
    const panel = reducePanel(kernel, { m, n, begin, count }, { diagonal, beside });
    left.push(panel.left);
    right.push(panel.right);
    yield* updateRest(kernel, { m, n, begin: begin + count });
  }
  for (const line of [diagonal, beside]) {
    line.forEach((x, i) => {
      if (Math.abs(x) < NOTHING) line[i] = 0;
    });
  }
  kernel.release();
  return { diagonal, beside, reflections: { left, right } };
}

interface Extents {
  readonly m: number;
  readonly n: number;
  readonly begin: number;
}

/** Finds the reflections that reduce some columns and rows, without updating the rest of the matrix. */
function reducePanel(
  kernel: PairPanelKernel,
  { m, n, begin, count }: Extents & { readonly count: number },
  { diagonal, beside }: Pick<Bidiagonal, "diagonal" | "beside">,
): Record<Side, Reflections> {
  const scales = { left: new Float64Array(count), right: new Float64Array(count) };
  for (const side of ["left", "right"] as const) {
    kernel.vectors[side].fill(0);
    kernel.updates[side].fill(0);
  }
  for (let k = 0; k < count; k++) {
    const i = begin + k;
    kernel.readColumn(i, k);
    const ofColumn = reflectInPlace(kernel.vectors.left.subarray(k * m, (k + 1) * m), i);
    diagonal[i] = ofColumn.result;
    scales.left[k] = ofColumn.scale;
    if (i === n - 1) break;
    if (ofColumn.scale !== 0) kernel.addLeft(i, k, ofColumn.scale);
    kernel.readRow(i, k);
    const ofRow = reflectInPlace(kernel.vectors.right.subarray(k * n, (k + 1) * n), i + 1);
    beside[i] = ofRow.result;
    scales.right[k] = ofRow.scale;
    if (ofRow.scale !== 0) kernel.addRight(i, k, ofRow.scale);
  }
  const { left, right } = kernel.vectors;
  return {
    left: {
      vectors: { rows: count, columns: m, data: left.slice(0, count * m) },
      scales: scales.left,
      begin: begin - 1,
    },
    right: {
      vectors: { rows: count, columns: n, data: right.slice(0, count * n) },
      scales: scales.right,
      begin,
    },
  };
}

/** Applies a panel to the rows and columns after it. */
function* updateRest(
  { data, vectors, updates }: PairPanelKernel,
  { m, n, begin }: Extents,
): ProductSteps<void> {
  if (begin >= n) return;
  const width = n - begin;
  const right = stackColumns([updates.right, vectors.right], PAIR_PANEL, { begin, end: n });
  for (let top = begin; top < m; top += STRIP) {
    const bottom = Math.min(m, top + STRIP);
    const left = stackColumns([vectors.left, updates.left], PAIR_PANEL, { begin: top, end: bottom });
    const change = (yield* productOf(left, right, { transposeLeft: true })).data as Float64Array;
    for (let i = top; i < bottom; i++) {
      const of = change.subarray((i - top) * width, (i - top + 1) * width);
      addRow(data.subarray(i * n + begin, (i + 1) * n), -1, of, { begin: 0, end: width });
    }
  }
}

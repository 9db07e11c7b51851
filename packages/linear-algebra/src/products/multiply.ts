import { packPanels } from "../kernels/pack.ts";
import { type Matrix, zerosLike } from "../matrix.ts";
import { BLOCK, type GemmKernel, gemmKernels, PANEL_ROWS } from "./gemm-kernel.ts";
import { type MatrixProductOptions, type ProductExtents, productExtents } from "./matrix-products.ts";

/** Distances between rows and between columns of a factor, after it is transposed if asked for. */
interface Strides {
  readonly row: number;
  readonly column: number;
}

/**
 * Multiplies two matrices on this thread, in SIMD.
 *
 * Every element is summed over the inner dimension in its order, so an element has the same bits whether a
 * whole matrix is multiplied or some of its rows.
 * @returns `[m, n]` of `[m, k]` and `[k, n]`, of their element type
 * @throws OutOfRangeError if the inner extents differ
 * @throws UsageError if the element types differ
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createMatrix, multiply } from "@isthmus/linear-algebra";
 *
 * const a = createMatrix(1, 2, Float64Array.of(1, 2));
 * assert.deepEqual(multiply(a, a, { transposeRight: true }).data, Float64Array.of(5));
 * ```
 */
export function multiply(left: Matrix, right: Matrix, options: MatrixProductOptions = {}): Matrix {
  const extents = productExtents(left, right, options);
  const out = zerosLike(left, extents.m, extents.n);
  const { f32, f64 } = gemmKernels();
  const kernel = left.data instanceof Float64Array ? f64 : f32;
  const factors = {
    left: { matrix: left, strides: stridesOf(left, options.transposeLeft) },
    right: { matrix: right, strides: stridesOf(right, options.transposeRight) },
  };
  for (let top = 0; top < extents.m; top += BLOCK.rows) {
    for (let begin = 0; begin < extents.n; begin += BLOCK.columns) {
      multiplyBlock(factors, extents, { kernel, top, begin }, out);
    }
  }
  return out;
}

interface Factors {
  readonly left: { readonly matrix: Matrix; readonly strides: Strides };
  readonly right: { readonly matrix: Matrix; readonly strides: Strides };
}

function multiplyBlock(
  { left, right }: Factors,
  { m, n, k }: ProductExtents,
  { kernel, top, begin }: { readonly kernel: GemmKernel; readonly top: number; readonly begin: number },
  out: Matrix,
): void {
  const rows = Math.min(BLOCK.rows, m - top);
  const columns = Math.min(BLOCK.columns, n - begin);
  const panelsA = Math.ceil(rows / PANEL_ROWS);
  const panelsB = Math.ceil(columns / kernel.panelColumns);
  const stride = panelsB * kernel.panelColumns;
  kernel.sum.fill(0, 0, panelsA * PANEL_ROWS * stride);
  for (let step = 0; step < k; step += BLOCK.depth) {
    const depth = Math.min(BLOCK.depth, k - step);
    const ofLeft = {
      begin: top * left.strides.row + step * left.strides.column,
      lines: rows,
      depth,
      lineStride: left.strides.row,
      depthStride: left.strides.column,
    };
    const ofRight = {
      begin: begin * right.strides.column + step * right.strides.row,
      lines: columns,
      depth,
      lineStride: right.strides.column,
      depthStride: right.strides.row,
    };
    packPanels(left.matrix.data, ofLeft, PANEL_ROWS, kernel.left);
    packPanels(right.matrix.data, ofRight, kernel.panelColumns, kernel.right);
    kernel.addProduct(panelsA, panelsB, depth);
  }
  for (let i = 0; i < rows; i++) {
    out.data.set(kernel.sum.subarray(i * stride, i * stride + columns), (top + i) * n + begin);
  }
}

function stridesOf({ columns }: Matrix, isTransposed = false): Strides {
  return isTransposed ? { row: 1, column: columns } : { row: columns, column: 1 };
}

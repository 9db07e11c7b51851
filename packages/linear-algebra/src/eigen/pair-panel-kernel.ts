import { placeArrays } from "@isthmus/core";
import { keepPanelKernels, takePanelKernels } from "./panel-instances.ts";

/** The two sides of a matrix: left reflections act on its rows, right ones on its columns. */
export type Side = "left" | "right";

/**
 * A matrix and one panel of its reduction to two diagonals, in memory that SIMD kernels work in.
 *
 * The matrix still lacks the change `V^T Y + X^T U` by the rows of the panel, where V and U are reflections
 * of the left and the right side, X and Y their updates.
 */
export interface PairPanelKernel {
  /** Matrix `[m, n]`. */
  readonly data: Float64Array;
  /** Reflections V `[panel, m]` and U `[panel, n]`, one a row. */
  readonly vectors: Readonly<Record<Side, Float64Array>>;
  /** Updates X `[panel, m]` and Y `[panel, n]`, one a row. */
  readonly updates: Readonly<Record<Side, Float64Array>>;
  /** Writes the present column `i` of the matrix, from its diagonal on, to row `k` of V. */
  readColumn(i: number, k: number): void;
  /** Writes the present row `i` of the matrix, right of its diagonal, to row `k` of U. */
  readRow(i: number, k: number): void;
  /** Computes row `k` of Y from reflection `k` of the left side, whose vector is zero before `i`. */
  addLeft(i: number, k: number, scale: number): void;
  /** Computes row `k` of X from reflection `k` of the right side, whose vector is zero up to `i`. */
  addRight(i: number, k: number, scale: number): void;
  /** Lets the next matrix have the memory. */
  release(): void;
}

/**
 * Makes a kernel with memory of its own, which is freed with the kernel; a small memory is kept for the next
 * one.
 * @throws OutOfRangeError if the matrix is larger than 4 GiB
 */
export function createPairPanelKernel(m: number, n: number, panel: number): PairPanelKernel {
  const kernels = takePanelKernels();
  const { memory, bringUpToDate, correctProduct, multiplyColumns, multiplyRows } = kernels;
  const [tall, wide] = [8 * panel * m, 8 * panel * n];
  const lengths = [8 * m * n, tall, tall, wide, wide] as const;
  const [a, v, x, u, y] = placeArrays(kernels, lengths, `compute singular values of a ${m} x ${n} matrix`);
  const view = (address: number, length: number) => new Float64Array(memory.buffer, address, length);
  const data = view(a, m * n);
  const vectors = { left: view(v, panel * m), right: view(u, panel * n) };
  const updates = { left: view(x, panel * m), right: view(y, panel * n) };
  const row = (array: number, k: number, length: number) => array + 8 * k * length;
  const scaleFrom = (values: Float64Array, begin: number, end: number, scale: number) => {
    for (let j = begin; j < end; j++) values[j] = scale * (values[j] as number);
  };
  return {
    data,
    vectors,
    updates,
    readColumn(i, k) {
      const line = vectors.left;
      for (let r = i; r < m; r++) line[k * m + r] = data[r * n + i] as number;
      bringUpToDate(row(v, k, m), y + 8 * i, 8 * n, v, u + 8 * i, 8 * n, x, m, i, k);
    },
    readRow(i, k) {
      vectors.right.set(data.subarray(i * n + i + 1, (i + 1) * n), k * n + i + 1);
      // The left reflection of this step has changed the row already; row `k` of X is zero as yet.
      bringUpToDate(row(u, k, n), v + 8 * i, 8 * m, y, x + 8 * i, 8 * m, u, n, i + 1, k + 1);
    },
    addLeft(i, k, scale) {
      const [from, to] = [row(v, k, m), row(y, k, n)];
      multiplyColumns(a, from, to, i, m, i + 1, n);
      correctProduct(to, y, u, n, i + 1, from, v, x, m, i, k, k);
      scaleFrom(updates.right, k * n + i + 1, (k + 1) * n, scale);
    },
    addRight(i, k, scale) {
      const [from, to] = [row(u, k, n), row(x, k, m)];
      multiplyRows(a, from, to, i + 1, m, i + 1, n);
      correctProduct(to, v, x, m, i + 1, from, y, u, n, i + 1, k + 1, k);
      scaleFrom(updates.left, k * m + i + 1, (k + 1) * m, scale);
    },
    release: () => keepPanelKernels(kernels),
  };
}

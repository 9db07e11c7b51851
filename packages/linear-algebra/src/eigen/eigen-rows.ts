import type { Matrix } from "../matrix.ts";

/** Eigenvalues and eigenvectors of a symmetric matrix, one a row. */
export interface EigenRows {
  /** Eigenvalues `[n]`, rising. */
  readonly values: Float64Array;
  /** Eigenvectors `[count, n]` of the last `count` values. */
  readonly vectors: Matrix;
}

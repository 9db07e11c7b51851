import type { Matrix } from "../matrix.ts";

/** Eigenvalues and eigenvectors of a symmetric matrix, one a row. */
export interface EigenRows {
  /** `[n]`, rising. */
  readonly values: Float64Array;
  /** `[count, n]`: eigenvectors of the last `count` values. */
  readonly vectors: Matrix;
}

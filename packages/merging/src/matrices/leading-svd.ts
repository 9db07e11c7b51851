import { gramSvd, type Matrix, type MatrixProducts, type Svd, truncatedSvd } from "@isthmus/linear-algebra";

/** Options of {@link leadingSvd}. */
export interface LeadingSvdOptions {
  /** Number of singular values that are wanted, at least 1. */
  readonly rank: number;
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
  /**
   * Largest shorter side of a matrix whose singular values are computed exactly, by its Gram matrix; the
   * singular values of a longer one are searched for by random vectors.
   */
  readonly exactUpTo: number;
}

/** Shorter side up to which rotations are used, which lose no small singular value. */
const ROTATED = 64;

/** Power iterations of the search, by which the squared norm that is missed stays near the least possible. */
const ITERATIONS = 4;

/**
 * Computes the largest singular values of a matrix with their vectors, exactly or by a search. Singular
 * values that are lost in rounding are left out, so that there may be fewer than `rank`.
 * @param matrix - `[m, n]`
 */
export async function leadingSvd(
  matrix: Matrix,
  { rank, products, exactUpTo }: LeadingSvdOptions,
): Promise<Svd> {
  const short = Math.min(matrix.rows, matrix.columns);
  if (short > ROTATED && short <= exactUpTo) return gramSvd(matrix, products, { rank });
  return truncatedSvd(matrix, Math.min(rank, short), products, { iterations: ITERATIONS });
}

import { assertWholeOptions, createRandom, resolveOptions } from "@isthmus/core";
import { type Matrix, zerosLike } from "./matrix.ts";
import { orthonormalize } from "./orthonormalize.ts";
import type { MatrixProducts } from "./products/matrix-products.ts";

/** Options of {@link dominantSubspaces} and {@link truncatedSvd}. */
export interface RangeFinderOptions {
  /**
   * Number of times the matrix is multiplied to and fro; more are more accurate if singular values fall
   * slowly.
   */
  readonly iterations?: number;
  /** Seed of the random start, a whole number of at least 0. */
  readonly seed?: number;
}

/** Defaults of {@link RangeFinderOptions}. */
const RANGE_FINDER_DEFAULTS: Required<RangeFinderOptions> = { iterations: 3, seed: 0 };

/** Spaces that a matrix maps its largest part between: `left * core * right^T` is nearly the matrix. */
export interface DominantSubspaces {
  /** Basis `[m, r]` of orthonormal columns. */
  readonly left: Matrix;
  /** Product `left^T * matrix * right`, `[r, r]`. */
  readonly core: Matrix;
  /** Basis `[n, r]` of orthonormal columns. */
  readonly right: Matrix;
}

/**
 * Finds orthonormal bases of the spaces of the largest singular values, by random vectors that the matrix is
 * applied to again and again.
 *
 * Directions whose singular values are nearly equal to the first value left out may be mixed with its
 * direction.
 * @param matrix - `[m, n]`
 * @param rank - dimension of the spaces; at most `min(m, n)` of it is used
 *
 * Source: Halko, Martinsson and Tropp, Finding structure with randomness, 2011, algorithm 4.4.
 */
export async function dominantSubspaces(
  matrix: Matrix,
  rank: number,
  products: MatrixProducts,
  options: RangeFinderOptions = {},
): Promise<DominantSubspaces> {
  const { iterations, seed } = resolveOptions("find subspaces", RANGE_FINDER_DEFAULTS, options);
  assertWholeOptions("find subspaces", { rank, iterations, seed }, { rank: 1, iterations: 0, seed: 0 });
  const width = Math.min(rank, matrix.rows, matrix.columns);
  const random = createRandom(seed, "range finder");
  const start = zerosLike(matrix, matrix.columns, width);
  for (let i = 0; i < start.data.length; i++) start.data[i] = random.normal();
  let left = await products.multiply(matrix, start);
  for (let i = 0; i < iterations; i++) {
    left = await orthonormalize(left, products, { passes: 1 });
    const right = await products.multiply(matrix, left, { transposeLeft: true });
    left = await products.multiply(matrix, await orthonormalize(right, products, { passes: 1 }));
  }
  left = await orthonormalize(left, products);
  const right = await orthonormalize(
    await products.multiply(matrix, left, { transposeLeft: true }),
    products,
  );
  const mapped = await products.multiply(matrix, right);
  return { left, core: await products.multiply(left, mapped, { transposeLeft: true }), right };
}

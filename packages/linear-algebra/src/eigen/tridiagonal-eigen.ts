import { at } from "@isthmus/core";
import { diagonalizeThree } from "../kernels/tridiagonal.ts";
import type { ProductSteps } from "../products/product-steps.ts";
import { coupleHalves } from "./couple-halves.ts";
import type { EigenRows } from "./eigen-rows.ts";

/** Extent up to which three diagonals are diagonalized by QL steps. */
const SMALL = 24;

/**
 * Computes the eigenvalues of a matrix with three diagonals, and the eigenvectors of the largest ones: both
 * halves are diagonalized, then coupled by products.
 *
 * Source: Cuppen, A divide and conquer method for the symmetric tridiagonal eigenproblem, 1981.
 * @param beside - `[n - 1]`, elements beside the diagonal
 * @param count - number of eigenvectors that are computed
 */
export function* tridiagonalEigen(
  { diagonal, beside }: { readonly diagonal: Float64Array; readonly beside: Float64Array },
  count: number,
): ProductSteps<EigenRows> {
  const n = diagonal.length;
  if (n <= SMALL) return smallEigen(diagonal, beside, count);
  const half = n >> 1;
  const between = at(beside, half - 1, "element");
  const size = Math.abs(between);
  const upper = diagonal.slice(0, half);
  const lower = diagonal.slice(half);
  upper[half - 1] = at(upper, half - 1, "element") - size;
  lower[0] = at(lower, 0, "element") - size;
  const halves = [
    yield* tridiagonalEigen({ diagonal: upper, beside: beside.subarray(0, half - 1) }, half),
    yield* tridiagonalEigen({ diagonal: lower, beside: beside.subarray(half) }, n - half),
  ] as const;
  return yield* coupleHalves(halves, { between, count });
}

function smallEigen(diagonal: Float64Array, beside: Float64Array, count: number): EigenRows {
  const n = diagonal.length;
  const values = diagonal.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const besides = new Float64Array(n);
  besides.set(beside);
  diagonalizeThree(values, besides, vectors, n);
  const order = [...values.keys()].sort((i, j) => at(values, i, "value") - at(values, j, "value"));
  const sorted = new Float64Array(count * n);
  order.slice(n - count).forEach((from, to) => {
    sorted.set(vectors.subarray(from * n, (from + 1) * n), to * n);
  });
  return {
    values: Float64Array.from(order, (i) => at(values, i, "value")),
    vectors: { rows: count, columns: n, data: sorted },
  };
}

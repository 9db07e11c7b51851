import { at } from "@isthmus/core";
import { exactNumerators, type SecularRoot, secularRoot, secularVector } from "../kernels/secular.ts";
import type { Matrix } from "../matrix.ts";
import type { MatrixProducts } from "../products/matrix-products.ts";
import { type CoupledDirections, deflate } from "./deflate.ts";
import type { EigenRows } from "./eigen-rows.ts";

/** Coupling of two halves, and the number of eigenvectors of the whole that are computed. */
export interface Coupling {
  /** Element beside the diagonal between the halves. */
  readonly between: number;
  /** Number of eigenvectors of the whole that are computed, of the largest eigenvalues. */
  readonly count: number;
}

/**
 * Computes eigenvalues and eigenvectors of two diagonalized halves that one element couples.
 *
 * @param halves - their eigenvectors; the absolute value of the element between them is taken away from the
 *   diagonals on both sides
 */
export async function coupleHalves(
  halves: readonly [EigenRows, EigenRows],
  { between, count }: Coupling,
  products: MatrixProducts,
): Promise<EigenRows> {
  const directions = deflate(halves, between);
  const { poles, squares, rho, signs, single } = directions;
  const roots = Array.from(poles, (_, i) => secularRoot({ poles, squares, rho }, i));
  const rising = [
    ...roots.map((root, i) => ({ value: at(poles, root.pole, "pole") + root.distance, root: i, single: -1 })),
    ...single.map(({ value }, i) => ({ value, root: -1, single: i })),
  ].sort((x, y) => x.value - y.value);
  const n = rising.length;
  const chosen = rising.slice(n - count);
  const ofRoots = chosen.filter(({ root }) => root >= 0).map(({ root }) => at(roots, root, "root"));
  const lengths = exactNumerators(poles, roots);
  const z = lengths.map((length, j) => length * at(signs, j, "sign"));
  const turned = await turnDirections(directions, { z, roots: ofRoots }, products);
  const vectors = new Float64Array(count * n);
  let next = 0;
  chosen.forEach(({ single: place }, i) => {
    const row =
      place >= 0 ? at(single, place, "direction").vector : turned.subarray(next * n, (next + 1) * n);
    if (place < 0) next++;
    vectors.set(row, i * n);
  });
  return {
    values: Float64Array.from(rising, ({ value }) => value),
    vectors: { rows: count, columns: n, data: vectors },
  };
}

/** Multiplies eigenvectors of the coupled directions by these directions, in two products. */
async function turnDirections(
  { poles, order, upper, lower, places }: CoupledDirections,
  { z, roots }: { readonly z: Float64Array; readonly roots: readonly SecularRoot[] },
  products: MatrixProducts,
): Promise<Float64Array> {
  const width = poles.length;
  const inner = new Float64Array(roots.length * width);
  roots.forEach((root, i) => {
    secularVector({ poles, z, order }, root, inner.subarray(i * width, (i + 1) * width));
  });
  const n = upper.columns + lower.columns;
  const turned = new Float64Array(roots.length * n);
  for (const { rows, first, column } of [
    { rows: upper, first: places.upper, column: 0 },
    { rows: lower, first: places.lower, column: upper.columns },
  ]) {
    const part = sliceOfRows(inner, { count: roots.length, width, begin: first, end: first + rows.rows });
    const { data } = await products.multiply(part, rows);
    for (let i = 0; i < roots.length; i++) {
      turned.set(data.subarray(i * rows.columns, (i + 1) * rows.columns), i * n + column);
    }
  }
  return turned;
}

function sliceOfRows(
  data: Float64Array,
  {
    count,
    width,
    begin,
    end,
  }: { readonly count: number; readonly width: number; readonly begin: number; readonly end: number },
): Matrix {
  const slice = new Float64Array(count * (end - begin));
  for (let i = 0; i < count; i++) {
    slice.set(data.subarray(i * width + begin, i * width + end), i * (end - begin));
  }
  return { rows: count, columns: end - begin, data: slice };
}

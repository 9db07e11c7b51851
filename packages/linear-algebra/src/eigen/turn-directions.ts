import { at } from "@isthmus/core";
import type { SecularRoot } from "../kernels/secular.ts";
import type { Matrix } from "../matrix.ts";
import { type ProductSteps, productOf } from "../products/product-steps.ts";
import { type CoupledDirections, type HalvedRows, joinHalves } from "./deflate.ts";

/** A direction of the whole: a root of the secular equation, or a direction that the coupling left alone. */
export type WholeDirection = { readonly value: number } & (
  | { readonly root: SecularRoot }
  | { readonly single: number }
);

/**
 * Computes the vectors of one side for directions of the whole, by two products.
 * @param chosen - the directions whose vectors are computed
 * @param inTurns - writes the unit vector of a root in the coordinates of the coupled directions
 * @returns `[chosen, extent]`, one vector a row
 */
export function* turnDirections(
  { sides, single, values }: CoupledDirections,
  side: number,
  chosen: readonly WholeDirection[],
  inTurns: (root: SecularRoot, out: Float64Array) => void,
): ProductSteps<Matrix> {
  const rows = at(sides, side, "side");
  const width = values.length;
  const roots = chosen.flatMap((direction) => ("root" in direction ? [direction.root] : []));
  const inner = new Float64Array(roots.length * width);
  roots.forEach((root, i) => {
    inTurns(root, inner.subarray(i * width, (i + 1) * width));
  });
  const turned = yield* multiplyHalves({ rows: roots.length, columns: width, data: inner }, rows);
  if (roots.length === chosen.length) return turned;
  const n = turned.columns;
  const vectors = new Float64Array(chosen.length * n);
  let next = 0;
  chosen.forEach((direction, i) => {
    if ("root" in direction) {
      vectors.set(turned.data.subarray(next * n, (next + 1) * n), i * n);
      next++;
    } else {
      const halves = at(at(single, direction.single, "direction").sides, side, "side");
      joinHalves(halves, rows.upper.columns, vectors.subarray(i * n, (i + 1) * n));
    }
  });
  return { rows: chosen.length, columns: n, data: vectors };
}

/** Multiplies coordinates by vectors: the first have parts in the upper half, the last in the lower one. */
function* multiplyHalves(inner: Matrix, { upper, lower, firstOfLower }: HalvedRows): ProductSteps<Matrix> {
  const n = upper.columns + lower.columns;
  const product = new Float64Array(inner.rows * n);
  for (const { part, first, column } of [
    { part: upper, first: 0, column: 0 },
    { part: lower, first: firstOfLower, column: upper.columns },
  ]) {
    const { data } = yield* productOf(columnsOf(inner, first, first + part.rows), part);
    for (let i = 0; i < inner.rows; i++) {
      product.set(data.subarray(i * part.columns, (i + 1) * part.columns), i * n + column);
    }
  }
  return { rows: inner.rows, columns: n, data: product };
}

function columnsOf({ rows, columns, data }: Matrix, begin: number, end: number): Matrix {
  const width = end - begin;
  const slice = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    slice.set(data.subarray(i * columns + begin, i * columns + end), i * width);
  }
  return { rows, columns: width, data: slice };
}

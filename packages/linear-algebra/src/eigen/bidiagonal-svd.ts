import { at } from "@isthmus/core";
import { clearLastColumn, diagonalizeTwo } from "../kernels/two-diagonals.ts";
import type { Matrix } from "../matrix.ts";
import type { ProductSteps } from "../products/product-steps.ts";
import { coupleSingular, type SingularRows } from "./couple-singular.ts";

/** Extent up to which two diagonals are diagonalized by QR sweeps. */
const SMALL = 24;

/** A matrix `[n, n]` or `[n, n + 1]` with a diagonal and the elements right of it. */
export interface TwoDiagonalMatrix {
  /** Diagonal, `[n]`. */
  readonly diagonal: Float64Array;
  /** Elements right of the diagonal, `[columns - 1]`. */
  readonly beside: Float64Array;
}

/**
 * Computes the singular values and vectors of a matrix with two diagonals: the parts above and below a row
 * in the middle are diagonalized, then coupled by products.
 *
 * Source: Gu and Eisenstat, A divide-and-conquer algorithm for the bidiagonal SVD, 1995 (`dbdsdc` of LAPACK).
 */
export function* bidiagonalSvd({ diagonal, beside }: TwoDiagonalMatrix): ProductSteps<SingularRows> {
  const n = diagonal.length;
  if (n <= SMALL) return smallSvd({ diagonal, beside });
  const middle = n >> 1;
  const halves = [
    yield* bidiagonalSvd({
      diagonal: diagonal.subarray(0, middle),
      beside: beside.subarray(0, middle),
    }),
    yield* bidiagonalSvd({ diagonal: diagonal.subarray(middle + 1), beside: beside.subarray(middle + 1) }),
  ] as const;
  return yield* coupleSingular(halves, {
    head: at(diagonal, middle, "element"),
    next: at(beside, middle, "element"),
  });
}

function smallSvd({ diagonal, beside }: TwoDiagonalMatrix): SingularRows {
  const n = diagonal.length;
  const columns = beside.length + 1;
  const values = diagonal.slice();
  const left = { data: identity(n), length: n };
  const right = { data: identity(columns), length: columns };
  const inner = beside.slice(0, Math.max(0, n - 1));
  if (columns > n) {
    clearLastColumn({ diagonal: values, beside: inner, right }, n === 0 ? 0 : at(beside, n - 1, "element"));
  }
  diagonalizeTwo({ diagonal: values, beside: inner, left, right });
  const order = [...values.keys()].sort((i, j) => at(values, i, "value") - at(values, j, "value"));
  const sorted = ({ data, length }: typeof left): Matrix => {
    const rows = new Float64Array(n * length);
    order.forEach((from, to) => {
      rows.set(data.subarray(from * length, (from + 1) * length), to * length);
    });
    return { rows: n, columns: length, data: rows };
  };
  return {
    values: Float64Array.from(order, (i) => at(values, i, "value")),
    left: sorted(left),
    right: sorted(right),
    nothing: columns > n ? right.data.slice(n * columns) : undefined,
  };
}

function identity(n: number): Float64Array {
  const data = new Float64Array(n * n);
  for (let i = 0; i < data.length; i += n + 1) data[i] = 1;
  return data;
}

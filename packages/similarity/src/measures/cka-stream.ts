import { at } from "@isthmus/core";
import { type Matrix, type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import { columnMeans, shiftColumns } from "./centre.ts";
import { alignmentOf, type HsicEstimator } from "./hsic.ts";
import { createLinearMoments, type LinearMoments } from "./linear-moments.ts";

/**
 * Computation of linear CKA of several representations with several others, from samples that come in
 * batches.
 */
export interface CkaStream {
  /**
   * Adds a batch: the same samples of all representations.
   * @param left - `[samples, features]` of each representation on the left
   * @param right - `[samples, features]` of each representation on the right
   */
  add(left: readonly Matrix[], right: readonly Matrix[]): Promise<void>;
  /**
   * Returns CKA of every representation on the left with every one on the right, from all samples so far,
   * `[left][right]`.
   */
  result(): (number | null)[][];
}

/** Options of {@link createCkaStream}. */
export interface CkaStreamOptions {
  /** Estimator of HSIC. @defaultValue "unbiased" */
  readonly estimator?: HsicEstimator;
  /** Implementation of products of matrices. @defaultValue this thread */
  readonly products?: MatrixProducts;
}

interface Moments {
  readonly ofLeft: readonly LinearMoments[];
  readonly ofRight: readonly LinearMoments[];
  readonly ofBoth: readonly (readonly LinearMoments[])[];
  readonly shifts: readonly [readonly Float64Array[], readonly Float64Array[]];
}

/**
 * Creates a stream that computes linear CKA of every two representations. It holds one product of every two
 * features, so memory does not grow with the number of samples; other batch sizes give the same numbers up to
 * rounding.
 *
 * The means of the first batch are subtracted from all samples: CKA is invariant to that shift, and no digits
 * are lost if activations are far from zero.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createMatrix } from "@isthmus/linear-algebra";
 * import { createCkaStream } from "@isthmus/similarity";
 *
 * const stream = createCkaStream({ estimator: "biased" });
 * const batches = [Float64Array.of(1, 0, 0, 2), Float64Array.of(3, 1, -1, 0)];
 * for (const data of batches) {
 *   const doubled = createMatrix(2, 2, data.map((x) => 2 * x));
 *   await stream.add([createMatrix(2, 2, data)], [doubled]);
 * }
 * assert(Math.abs((stream.result()[0]?.[0] ?? 0) - 1) < 1e-12);
 * ```
 */
export function createCkaStream({
  estimator = "unbiased",
  products = plainProducts,
}: CkaStreamOptions = {}): CkaStream {
  let moments: Moments | undefined;
  return {
    async add(left, right) {
      moments ??= createMoments(left, right, products);
      const { ofLeft, ofRight, ofBoth, shifts } = moments;
      const xs = shiftAll(left, shifts[0]);
      const ys = shiftAll(right, shifts[1]);
      for (const [i, x] of xs.entries()) await ofLeft[i]?.add(x, x);
      for (const [j, y] of ys.entries()) await ofRight[j]?.add(y, y);
      for (const [i, x] of xs.entries()) {
        for (const [j, y] of ys.entries()) await ofBoth[i]?.[j]?.add(x, y);
      }
    },
    result() {
      if (moments === undefined) return [];
      const { ofLeft, ofRight, ofBoth } = moments;
      const hsics = (all: readonly LinearMoments[]) => all.map((one) => one.hsic(estimator));
      const selves = hsics(ofRight);
      return ofBoth.map((row, i) => {
        const self = ofLeft[i]?.hsic(estimator) ?? Number.NaN;
        return hsics(row).map((both, j) => alignmentOf(both, [self, selves[j] ?? Number.NaN]));
      });
    },
  };
}

function createMoments(left: readonly Matrix[], right: readonly Matrix[], products: MatrixProducts): Moments {
  const between = (x: Matrix, y: Matrix) => createLinearMoments([x.columns, y.columns], products);
  return {
    ofLeft: left.map((x) => between(x, x)),
    ofRight: right.map((y) => between(y, y)),
    ofBoth: left.map((x) => right.map((y) => between(x, y))),
    shifts: [left.map(columnMeans), right.map(columnMeans)],
  };
}

function shiftAll(matrices: readonly Matrix[], shifts: readonly Float64Array[]): Matrix[] {
  return matrices.map((matrix, i) => shiftColumns(matrix, at(shifts, i, "shift")));
}

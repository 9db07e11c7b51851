import type { Matrix, MatrixProducts } from "@isthmus/linear-algebra";
import { dot, estimateHsic, type HsicEstimator } from "./hsic.ts";

/** Sums over samples of two representations, from which HSIC of linear kernels is computed. */
export interface LinearMoments {
  /**
   * Adds samples.
   * @param x - `[samples, features]`, f64
   * @param y - `[samples, features]` of the other representation for the same samples, f64
   */
  add(x: Matrix, y: Matrix): Promise<void>;
  /** Estimates HSIC from all samples so far. */
  hsic(estimator: HsicEstimator): number;
}

/**
 * Creates sums for HSIC of linear kernels, which hold one product of every two features and no samples.
 *
 * With `C = X^T Y`, `s` and `t` the sums of rows, and `k` and `l` the squared lengths of rows, the sums over
 * the kernel matrices are `|C|^2` of products, `k . l` of diagonals, and `s^T C t` of whole row sums.
 */
export function createLinearMoments(
  [p, q]: readonly [features: number, others: number],
  products: MatrixProducts,
): LinearMoments {
  const cross = new Float64Array(p * q);
  const [sumX, sumY] = [new Float64Array(p), new Float64Array(q)];
  // Sums of the rows of each representation, weighted by the squared lengths of the other's rows.
  const [crossedX, crossedY] = [new Float64Array(p), new Float64Array(q)];
  let [samples, lengthsX, lengthsY, diagonals] = [0, 0, 0, 0];
  return {
    async add(x, y) {
      const { data } = await products.multiply(x, y, { transposeLeft: true });
      for (let i = 0; i < data.length; i++) cross[i] = (cross[i] as number) + (data[i] as number);
      for (let i = 0; i < x.rows; i++) {
        const [ofX, ofY] = [rowOf(x, i), rowOf(y, i)];
        const [k, l] = [squaredLength(ofX), squaredLength(ofY)];
        addScaled(sumX, ofX, 1);
        addScaled(sumY, ofY, 1);
        addScaled(crossedX, ofX, l);
        addScaled(crossedY, ofY, k);
        lengthsX += k;
        lengthsY += l;
        diagonals += k * l;
      }
      samples += x.rows;
    },
    hsic(estimator) {
      const [wholeK, wholeL] = [squaredLength(sumX), squaredLength(sumY)];
      const wholeRowSums = bilinear(sumX, cross, sumY);
      const rowSums = wholeRowSums - dot(crossedX, sumX) - dot(crossedY, sumY) + diagonals;
      return estimateHsic(
        {
          samples,
          products: squaredLength(cross),
          diagonals,
          rowSums,
          wholeRowSums,
          wholeK,
          wholeL,
          sumK: wholeK - lengthsX,
          sumL: wholeL - lengthsY,
        },
        estimator,
      );
    },
  };
}

const rowOf = ({ data, columns }: Matrix, i: number) => data.subarray(i * columns, (i + 1) * columns);

const squaredLength = (x: ArrayLike<number>): number => dot(x, x);

function addScaled(target: Float64Array, x: ArrayLike<number>, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (x[i] as number);
}

function bilinear(x: Float64Array, matrix: Float64Array, y: Float64Array): number {
  let sum = 0;
  x.forEach((factor, i) => {
    sum += factor * dot(matrix.subarray(i * y.length, (i + 1) * y.length), y);
  });
  return sum;
}

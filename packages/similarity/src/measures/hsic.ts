import { sumOf } from "@isthmus/core";
/** Estimators of the Hilbert-Schmidt independence criterion (HSIC) of kernel matrices. */
export const HSIC_ESTIMATORS = ["unbiased", "biased"] as const;

/** One of {@link HSIC_ESTIMATORS}. */
export type HsicEstimator = (typeof HSIC_ESTIMATORS)[number];

/** Kernel values of every two samples, and their sums that HSIC needs. */
export interface Kernel {
  /** Number of samples, the extent of both axes of the matrix. */
  readonly samples: number;
  /** Kernel values, a symmetric matrix `[samples, samples]`. */
  readonly data: Float64Array;
  /** Kernel values of each sample with itself, `[samples]`. */
  readonly diagonal: Float64Array;
  /** Sums of rows without the diagonal. */
  readonly rowSums: Float64Array;
  /** Sum of all elements without the diagonal. */
  readonly sum: number;
}

/** Makes a kernel from its matrix, which is not copied. */
export function createKernel(data: Float64Array, samples: number): Kernel {
  const diagonal = Float64Array.from({ length: samples }, (_, i) => data[i * samples + i] as number);
  const rowSums = diagonal.map((self, i) => sumOf(data.subarray(i * samples, (i + 1) * samples)) - self);
  return { samples, data, diagonal, rowSums, sum: sumOf(rowSums) };
}

/**
 * Estimates HSIC from two kernels of the same samples: the unbiased estimator is `HSIC_1` of Song et al.
 * (2012), the biased one `tr(K H L H) / (n - 1)^2` of Gretton et al. (2005).
 */
export function hsic(k: Kernel, l: Kernel, estimator: HsicEstimator): number {
  const [diagonals, rowSums] = [dot(k.diagonal, l.diagonal), dot(k.rowSums, l.rowSums)];
  const mixed = dot(k.diagonal, l.rowSums) + dot(k.rowSums, l.diagonal);
  return estimateHsic(
    {
      samples: k.samples,
      products: dot(k.data, l.data),
      diagonals,
      rowSums,
      sumK: k.sum,
      sumL: l.sum,
      wholeRowSums: rowSums + mixed + diagonals,
      wholeK: k.sum + sumOf(k.diagonal),
      wholeL: l.sum + sumOf(l.diagonal),
    },
    estimator,
  );
}

/** Sums over kernels `K` and `L` from which HSIC follows. */
export interface HsicSums {
  /** Number of samples over which the sums run, at least 4 for the unbiased estimator. */
  readonly samples: number;
  /** Sum of `K_ij L_ij` over all elements. */
  readonly products: number;
  /** Sum of `K_ii L_ii` over the diagonals. */
  readonly diagonals: number;
  /** Sum of the products of row sums without diagonals. */
  readonly rowSums: number;
  /** Sum of all elements of `K` without the diagonal. */
  readonly sumK: number;
  /** Sum of all elements of `L` without the diagonal. */
  readonly sumL: number;
  /** Sum of the products of whole row sums. */
  readonly wholeRowSums: number;
  /** Sum of all elements of `K`, the diagonal included. */
  readonly wholeK: number;
  /** Sum of all elements of `L`, the diagonal included. */
  readonly wholeL: number;
}

/** Estimates HSIC from sums over kernels. */
export function estimateHsic(sums: HsicSums, estimator: HsicEstimator): number {
  const { samples: n, products } = sums;
  if (estimator === "biased") {
    const { wholeRowSums, wholeK, wholeL } = sums;
    return (products - (2 / n) * wholeRowSums + (wholeK * wholeL) / n ** 2) / (n - 1) ** 2;
  }
  const { diagonals, rowSums, sumK, sumL } = sums;
  const means = (sumK * sumL) / ((n - 1) * (n - 2));
  return (products - diagonals + means - (2 / (n - 2)) * rowSums) / (n * (n - 3));
}

/**
 * Returns the centred kernel alignment of two representations from the HSIC of both and of each with itself;
 * null if one of the representations is constant.
 */
export function alignmentOf(both: number, [a, b]: readonly [number, number]): number | null {
  return a > 0 && b > 0 ? both / Math.sqrt(a * b) : null;
}

/** Computes the scalar product of two vectors in the order of their elements. */
export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number);
  return sum;
}

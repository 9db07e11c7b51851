/**
 * Adds half the squared distances of all pairs of rows, from their products and squared norms,
 * `[rows of A, rows of B]`.
 */
export function addDistances(
  products: Float64Array,
  [normsA, normsB]: readonly [Float64Array, Float64Array],
  costs: Float64Array,
): void {
  for (let i = 0, k = 0; i < normsA.length; i++) {
    const half = normsA[i]! / 2;
    for (let j = 0; j < normsB.length; j++, k++)
      costs[k] = costs[k]! + (half + normsB[j]! / 2 - products[k]!);
  }
}

/** Adds `scale (|a| |b| - a b)` of all pairs of rows, from their products and squared norms. */
export function addAngles(
  products: Float64Array,
  [normsA, normsB]: readonly [Float64Array, Float64Array],
  scale: number,
  costs: Float64Array,
): void {
  for (let i = 0, k = 0; i < normsA.length; i++) {
    for (let j = 0; j < normsB.length; j++, k++) {
      costs[k] = costs[k]! + scale * (Math.sqrt(normsA[i]! * normsB[j]!) - products[k]!);
    }
  }
}

/**
 * Adds the mean squared differences of two networks' units over samples, from their moments,
 * `[units of A, units of B]`, each times `scale`.
 */
export function addActivationDistances(
  covariance: Float64Array,
  a: { readonly mean: Float64Array; readonly variance: Float64Array },
  b: { readonly mean: Float64Array; readonly variance: Float64Array },
  scale: number,
  costs: Float64Array,
): void {
  for (let i = 0, k = 0; i < a.mean.length; i++) {
    for (let j = 0; j < b.mean.length; j++, k++) {
      const difference = a.mean[i]! - b.mean[j]!;
      const square = a.variance[i]! + b.variance[j]! - 2 * covariance[k]! + difference * difference;
      costs[k] = costs[k]! + scale * Math.max(0, square);
    }
  }
}

/**
 * Adds one minus the correlation of two networks' units, `[units of A, units of B]`, each times `scale`; it
 * is 1 for units that never vary.
 */
export function addDecorrelations(
  covariance: Float64Array,
  deviationsOfA: Float64Array,
  deviationsOfB: Float64Array,
  scale: number,
  costs: Float64Array,
): void {
  for (let i = 0, k = 0; i < deviationsOfA.length; i++) {
    for (let j = 0; j < deviationsOfB.length; j++, k++) {
      const product = deviationsOfA[i]! * deviationsOfB[j]!;
      costs[k] = costs[k]! + scale * (product > 0 ? 1 - covariance[k]! / product : 1);
    }
  }
}

/**
 * Updates the potential of each row so that the row meets its weight, by the log-sum-exp of the row:
 * `f[i] = epsilon (log a[i] - log sum_j exp((g[j] - cost[i, j]) / epsilon))`.
 *
 * @param cost - `[rows, columns]`
 * @param g - potentials of the columns, `[columns]`
 * @param logWeights - logarithms of the weights of the rows, `[rows]`
 * @param f - potentials of the rows, `[rows]`, written
 */
export function updateRowPotentials(
  cost: Float64Array,
  g: Float64Array,
  logWeights: Float64Array,
  f: Float64Array,
  epsilon: number,
): void {
  const columns = g.length;
  for (let i = 0; i < f.length; i++) {
    const row = i * columns;
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < columns; j++) {
      const value = g[j]! - cost[row + j]!;
      if (value > largest) largest = value;
    }
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Math.exp((g[j]! - cost[row + j]! - largest) / epsilon);
    f[i] = epsilon * (logWeights[i]! - Math.log(sum)) - largest;
  }
}

/**
 * Updates the potentials of columns, like {@link updateRowPotentials} for rows.
 *
 * @param f - potentials of the rows, `[rows]`
 * @param logWeights - logarithms of the weights of the columns, `[columns]`
 * @param g - potentials of the columns, `[columns]`, written
 */
export function updateColumnPotentials(
  cost: Float64Array,
  f: Float64Array,
  logWeights: Float64Array,
  g: Float64Array,
  epsilon: number,
): void {
  const columns = g.length;
  const largest = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0, k = 0; i < f.length; i++) {
    for (let j = 0; j < columns; j++, k++) {
      const value = f[i]! - cost[k]!;
      if (value > largest[j]!) largest[j] = value;
    }
  }
  const sums = new Float64Array(columns);
  for (let i = 0, k = 0; i < f.length; i++) {
    for (let j = 0; j < columns; j++, k++) {
      sums[j] = sums[j]! + Math.exp((f[i]! - cost[k]! - largest[j]!) / epsilon);
    }
  }
  for (let j = 0; j < columns; j++) g[j] = epsilon * (logWeights[j]! - Math.log(sums[j]!)) - largest[j]!;
}

/** Computes the plan of given potentials, `exp((f[i] + g[j] - cost[i, j]) / epsilon)`, `[rows, columns]`. */
export function fillPlan(
  cost: Float64Array,
  f: Float64Array,
  g: Float64Array,
  plan: Float64Array,
  epsilon: number,
): void {
  for (let i = 0, k = 0; i < f.length; i++) {
    for (let j = 0; j < g.length; j++, k++) plan[k] = Math.exp((f[i]! + g[j]! - cost[k]!) / epsilon);
  }
}

/** Computes the sum of each row before the factor of the row: `sums[i] = sum_j plan[i, j] v[j]`. */
export function sumRows(plan: Float64Array, v: Float64Array, sums: Float64Array): void {
  const columns = v.length;
  for (let i = 0, k = 0; i < sums.length; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++, k++) sum += plan[k]! * v[j]!;
    sums[i] = sum;
  }
}

/** Computes the factors of rows with which they meet their weights: `u[i] = a[i] / sums[i]`. */
export function scaleRows(sums: Float64Array, weights: Float64Array, u: Float64Array): void {
  for (let i = 0; i < u.length; i++) u[i] = weights[i]! / sums[i]!;
}

/**
 * Computes the factors of columns with which they meet their weights: `v[j] = b[j] / sum_i plan[i, j] u[i]`.
 */
export function scaleColumns(
  plan: Float64Array,
  u: Float64Array,
  weights: Float64Array,
  v: Float64Array,
): void {
  const columns = v.length;
  v.fill(0);
  for (let i = 0, k = 0; i < u.length; i++) {
    const factor = u[i]!;
    for (let j = 0; j < columns; j++, k++) v[j] = v[j]! + plan[k]! * factor;
  }
  for (let j = 0; j < columns; j++) v[j] = weights[j]! / v[j]!;
}

/** Adds `epsilon log factors` to potentials, and sets the factors to 1. */
export function absorbFactors(potentials: Float64Array, factors: Float64Array, epsilon: number): void {
  for (let i = 0; i < potentials.length; i++) {
    potentials[i] = potentials[i]! + epsilon * Math.log(factors[i]!);
    factors[i] = 1;
  }
}

/** Returns `sum_i |u[i] sums[i] - weights[i]|`, the distance of the rows from their weights. */
export function rowError(sums: Float64Array, u: Float64Array, weights: Float64Array): number {
  let error = 0;
  for (let i = 0; i < u.length; i++) error += Math.abs(u[i]! * sums[i]! - weights[i]!);
  return error;
}

/** Returns the largest `|log factor|`, or infinity if a factor is not a positive number. */
export function largestLog(factors: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < factors.length; i++) {
    const log = Math.abs(Math.log(factors[i]!));
    if (!(log <= largest)) largest = log;
  }
  return Number.isNaN(largest) ? Number.POSITIVE_INFINITY : largest;
}

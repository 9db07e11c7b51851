/**
 * Adds `weight * x` to a sum, element by element.
 * @param isFirst - whether `sum` is still empty: products are then stored, as adding them to 0 would turn -0
 *   into 0
 */
export function addWeighted(sum: Float64Array, x: Float64Array, weight: number, isFirst: boolean): void {
  if (isFirst) for (let i = 0; i < sum.length; i++) sum[i] = weight * x[i]!;
  else for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + weight * x[i]!;
}

/**
 * Moves `x` towards `y`, `x[i] -= by * (x[i] - y[i])`; equal elements are unchanged, including NaN and -0.
 */
export function stepInPlace(x: Float64Array, y: Float64Array, by: number): void {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i]!, y[i]!];
    if (!Object.is(a, b)) x[i] = a - by * (a - b);
  }
}

/** Computes the scalar product of two arrays, summed in their order. */
export function dotNumbers(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** Finds the index of the first NaN or infinity, or -1. */
export function findNonFiniteNumber(x: Float64Array): number {
  // The difference of a number to itself is 0, that of NaN and of an infinity is not.
  for (let i = 0; i < x.length; i++) if (x[i]! - x[i]! !== 0) return i;
  return -1;
}

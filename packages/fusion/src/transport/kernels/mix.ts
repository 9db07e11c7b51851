/** Writes `weight * a + (1 - weight) * b` into `out`, which may be `a` or `b`. */
export function mixInto(a: Float64Array, b: Float64Array, weight: number, out: Float64Array): Float64Array {
  const rest = 1 - weight;
  for (let i = 0; i < out.length; i++) out[i] = weight * a[i]! + rest * b[i]!;
  return out;
}

/** Returns the sum of squares of `a - b`. */
export function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}

/** Adds `weight * part` to `sum`, element by element. */
export function addScaled(sum: Float64Array, part: Float64Array, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + weight * part[i]!;
}

/** Computes the inner product of two vectors, summed in the order of the elements. */
export function innerProduct(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < left.length; i++) sum += left[i]! * right[i]!;
  return sum;
}

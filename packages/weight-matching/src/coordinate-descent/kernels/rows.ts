/** Subtracts arrays: `out[i] = a[i] - b[i]`, for as many elements as `out` has. */
export function differenceInto(a: Float32Array, b: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i]! - b[i]!;
}

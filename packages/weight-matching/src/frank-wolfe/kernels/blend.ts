/** `a[i] += t (b[i] - a[i])`. */
export function blendInPlace(a: Float32Array, b: Float32Array, t: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += t * (b[i]! - a[i]!);
}

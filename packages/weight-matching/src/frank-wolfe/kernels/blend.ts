/** Blends an array into another: `a[i] += t (b[i] - a[i])`. */
export function blendInPlace(a: Float32Array, b: Float32Array, t: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += t * (b[i]! - a[i]!);
}

/** Multiplies an array by a number: `a[i] *= factor`. */
export function scaleInPlace(a: Float32Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i]! *= factor;
}

/**
 * Takes one step of gradient descent with momentum: `velocity = momentum velocity + gradient / 2`, then
 * `shadow -= learningRate velocity`, in which the velocity is not yet rounded to f32.
 */
export function stepInPlace(
  shadow: Float32Array,
  velocity: Float32Array,
  gradient: Float32Array,
  learningRate: number,
  momentum: number,
): void {
  for (let i = 0; i < shadow.length; i++) {
    const next = momentum * velocity[i]! + gradient[i]! / 2;
    velocity[i] = next;
    shadow[i] = shadow[i]! - learningRate * next;
  }
}

/** Returns the mean of two arrays, element by element. */
export function meanOf(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = (a[i]! + b[i]!) / 2;
  return out;
}

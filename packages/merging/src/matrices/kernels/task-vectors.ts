/** Subtracts one vector from another, in place. */
export function subtract(from: Float64Array | Float32Array, what: ArrayLike<number>): void {
  for (let i = 0; i < from.length; i++) from[i] = from[i]! - what[i]!;
}

/** Adds `factor` times one vector to another, in place. */
export function addScaled(sum: Float64Array | Float32Array, what: ArrayLike<number>, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + factor * what[i]!;
}

/**
 * Adds `scale` times a difference to a base, in place. Elements with a difference of zero keep their bits,
 * including the sign of a zero.
 */
export function addDifference(base: Float64Array, difference: ArrayLike<number>, scale: number): void {
  for (let i = 0; i < base.length; i++) {
    const step = scale * difference[i]!;
    if (step !== 0) base[i] = base[i]! + step;
  }
}

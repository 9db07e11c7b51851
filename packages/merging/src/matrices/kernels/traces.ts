type Elements = Float32Array | Float64Array;

/** Computes the trace of `x^T y`, the sum of products of elements at the same place. */
export function trace(x: Elements, y: Elements): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** Multiplies all elements by a factor, in place. */
export function multiplyBy(x: Elements, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = factor * x[i]!;
}

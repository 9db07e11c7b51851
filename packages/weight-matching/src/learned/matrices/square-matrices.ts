import { createMatrix, multiply } from "@isthmus/linear-algebra";

/** Multiplies two square matrices, `[size, size]` each, row-major, in f64. */
export function times(a: Float64Array, b: Float64Array, size: number): Float64Array {
  return multiply(createMatrix(size, size, a), createMatrix(size, size, b)).data as Float64Array;
}

/** Creates the identity, `[size, size]`. */
export function identityMatrix(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
  return matrix;
}

/** Transposes a square matrix, `[size, size]`. */
export function transposed(matrix: Float64Array, size: number): Float64Array {
  return matrix.map((_, i) => matrix[(i % size) * size + Math.floor(i / size)] as number);
}

import { createRandom } from "@isthmus/core";
import type { LinearOperator } from "@isthmus/curvature";

/** An operator that multiplies by a symmetric matrix, and the matrix, in row-major order. */
export interface MatrixOperator extends LinearOperator {
  readonly matrix: Float64Array;
}

/** Returns the operator of a symmetric matrix `[n, n]`. */
export function matrixOperator(matrix: Float64Array): MatrixOperator {
  const n = Math.round(Math.sqrt(matrix.length));
  return {
    matrix,
    dimension: n,
    layout: [{ name: "x", shape: [n], offset: 0 }],
    async apply(vector, out) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += (matrix[i * n + j] as number) * (vector[j] as number);
        out[i] = sum;
      }
    },
  };
}

/** Returns a matrix of certain eigenvalues, its eigenvectors turned by reflections at random directions. */
export function matrixOfSpectrum(spectrum: readonly number[], seed: number): MatrixOperator {
  const n = spectrum.length;
  const matrix = new Float64Array(n * n);
  spectrum.forEach((value, i) => {
    matrix[i * n + i] = value;
  });
  for (let reflection = 0; reflection < 3; reflection++) {
    const random = createRandom(seed, `reflection ${reflection}`);
    const u = Float64Array.from({ length: n }, () => random.normal());
    const square = u.reduce((sum, x) => sum + x * x, 0);
    reflectRows(matrix, u, square);
    transposeInPlace(matrix, n);
    reflectRows(matrix, u, square);
  }
  return matrixOperator(matrix);
}

function reflectRows(matrix: Float64Array, u: Float64Array, square: number): void {
  const n = u.length;
  for (let i = 0; i < n; i++) {
    let inner = 0;
    for (let j = 0; j < n; j++) inner += (matrix[i * n + j] as number) * (u[j] as number);
    for (let j = 0; j < n; j++)
      matrix[i * n + j] = (matrix[i * n + j] as number) - (2 * inner * (u[j] as number)) / square;
  }
}

function transposeInPlace(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const element = matrix[i * n + j] as number;
      matrix[i * n + j] = matrix[j * n + i] as number;
      matrix[j * n + i] = element;
    }
  }
}

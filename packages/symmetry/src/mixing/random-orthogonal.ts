import type { Random } from "@isthmus/core";

/** Draws a random orthogonal matrix, `[size, size]`. */
export function randomOrthogonal(size: number, random: Random): Float64Array {
  return randomOrthonormal([size, size], random);
}

/**
 * Draws random orthonormal vectors, `[count, size]`: normal vectors made orthonormal one after the other,
 * twice because of rounding.
 *
 * @param options.isCentred - whether the elements of each vector sum to 0; there are at most `size - 1` then
 */
export function randomOrthonormal(
  [count, size]: readonly [number, number],
  random: Random,
  { isCentred = false }: { readonly isCentred?: boolean } = {},
): Float64Array {
  const matrix = Float64Array.from({ length: count * size }, () => random.normal());
  for (let i = 0; i < count; i++) {
    const row = matrix.subarray(i * size, (i + 1) * size);
    for (let pass = 0; pass < 2; pass++) {
      if (isCentred) subtractMean(row);
      for (let j = 0; j < i; j++) subtractProjection(row, matrix.subarray(j * size, (j + 1) * size));
    }
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let k = 0; k < size; k++) row[k] = (row[k] as number) / norm;
  }
  return matrix;
}

function subtractMean(row: Float64Array): void {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  for (let k = 0; k < row.length; k++) row[k] = (row[k] as number) - mean;
}

function subtractProjection(row: Float64Array, other: Float64Array): void {
  const length = row.reduce((sum, value, k) => sum + value * (other[k] as number), 0);
  for (let k = 0; k < row.length; k++) row[k] = (row[k] as number) - length * (other[k] as number);
}

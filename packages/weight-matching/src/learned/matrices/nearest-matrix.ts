import { UnsupportedError } from "@isthmus/core";
import { createMatrix, multiply, plainProducts, polarFactor } from "@isthmus/linear-algebra";
import type { MixingGroup } from "@isthmus/symmetry";
import { complexOf, isComplex, matrixOf, unitOf } from "./complex-numbers.ts";

/** Share of the gram's norm added to its diagonal: directions that no product decides stay in place. */
const STAY = 1e-7;

/**
 * Finds the orthogonal matrix Q of a group that maximises the sum of `gram[i][j] Q[i][j]`: with
 * `gram = sum A_i B_j` it brings B closest to A (orthogonal Procrustes).
 *
 * The nearest complex number is a plain rotation, as a reflection would not commute with a rotary embedding;
 * its angle is `atan2(gram[1][0] - gram[0][1], gram[0][0] + gram[1][1])`.
 *
 * @param gram - `[size, size]`, row-major
 * @param group - for invertible spaces the nearest orthogonal matrix is found, too, and for complex numbers
 *   the nearest of length 1
 * @returns `[size, size]`, orthogonal to 1e-12; it keeps the vector of ones if the group does
 * @throws UnsupportedError if the gram is not finite
 * @see Schönemann, A generalized solution of the orthogonal Procrustes problem (1966)
 */
export async function nearestMatrix(
  gram: Float64Array,
  size: number,
  group: MixingGroup,
): Promise<Float64Array> {
  const scale = Math.sqrt(gram.reduce((sum, value) => sum + value * value, 0));
  if (!Number.isFinite(scale)) {
    throw new UnsupportedError(
      `Cannot find the nearest rotation as the products of two networks must be finite: their norm is ${scale}`,
      { feature: "rotation" },
    );
  }
  if (isComplex(group)) {
    const { re, im } = complexOf(gram);
    return matrixOf(unitOf({ re: re + STAY * (scale || 1), im }));
  }
  const centred = group === "orthogonal-keeping-ones" ? keepOnes(gram, size, scale || 1) : gram.slice();
  for (let i = 0; i < size; i++) {
    centred[i * size + i] = (centred[i * size + i] as number) + STAY * (scale || 1);
  }
  const { data } = await polarFactor(createMatrix(size, size, centred), plainProducts, { smallest: 1e-12 });
  return orthonormalized(data as Float64Array, size);
}

/** Takes row and column means away, and adds a multiple of the matrix of ones, so that ones stay. */
function keepOnes(gram: Float64Array, size: number, weight: number): Float64Array {
  const result = centreBoth(gram, size);
  for (let i = 0; i < result.length; i++) result[i] = (result[i] as number) + weight / size;
  return result;
}

/** Takes the mean of each row and of each column away: `C gram C` with `C = I - 1 1^T / size`. */
export function centreBoth(gram: Float64Array, size: number): Float64Array {
  const rows = new Float64Array(size);
  const columns = new Float64Array(size);
  let total = 0;
  gram.forEach((value, index) => {
    rows[Math.floor(index / size)] = (rows[Math.floor(index / size)] as number) + value / size;
    columns[index % size] = (columns[index % size] as number) + value / size;
    total += value / (size * size);
  });
  return gram.map(
    (value, index) =>
      value - (rows[Math.floor(index / size)] as number) - (columns[index % size] as number) + total,
  );
}

/** Makes an almost orthogonal matrix orthogonal to rounding, by Newton's steps `Q (3 - Q^T Q) / 2`. */
export function orthonormalized(matrix: Float64Array, size: number): Float64Array {
  let current = createMatrix(size, size, matrix);
  for (let step = 0; step < 3; step++) {
    const gram = multiply(current, current, { transposeLeft: true });
    const half = gram.data.map((value) => -value / 2) as Float64Array;
    for (let i = 0; i < size; i++) half[i * size + i] = (half[i * size + i] as number) + 1.5;
    current = multiply(current, createMatrix(size, size, half));
  }
  return current.data as Float64Array;
}

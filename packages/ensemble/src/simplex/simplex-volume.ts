import { at, MismatchError } from "@isthmus/core";

/**
 * Returns the logarithm of the volume of a simplex from the squared distances between its vertices: the
 * volume of Cayley and Menger, computed as the product of the heights of each vertex above the vertices
 * before, over a factorial. A single vertex has the volume 1, whose logarithm is 0; vertices that span a
 * space of lower dimension have the volume 0, whose logarithm is minus infinity.
 * @param squaredDistances - one row for each vertex, symmetric, with zeros on the diagonal
 * @throws MismatchError if the numbers of distances do not fit the number of vertices
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { logSimplexVolume } from "@isthmus/ensemble";
 *
 * const triangle = [[0, 9, 16], [9, 0, 25], [16, 25, 0]]; // of sides 3, 4 and 5
 * assert(Math.abs(Math.exp(logSimplexVolume(triangle)) - 6) < 1e-12);
 * ```
 */
export function logSimplexVolume(squaredDistances: readonly (readonly number[])[]): number {
  const count = squaredDistances.length;
  if (count === 0 || squaredDistances.some((row) => row.length !== count)) {
    throw new MismatchError(
      `Cannot compute the volume of a simplex as there must be a distance for each two of ${count} vertices: there are rows of ${squaredDistances.map((row) => row.length).join(", ") || "none"}`,
      { parameters: [] },
    );
  }
  const squared = (i: number, j: number) => at(at(squaredDistances, i, "vertex"), j, "distance");
  const factor: number[][] = [];
  let logarithm = 0;
  for (let i = 1; i < count; i++) {
    const row: number[] = [];
    // The Cholesky factor of the products of the edges from the first vertex has the heights on its diagonal.
    for (let j = 1; j < i; j++) {
      const other = at(factor, j - 1, "row");
      const product = (squared(0, i) + squared(0, j) - squared(i, j)) / 2;
      row.push((product - dot(row, other, j - 1)) / at(other, j - 1, "height"));
    }
    const height = squared(0, i) - dot(row, row, i - 1);
    if (!(height > 0)) return Number.NEGATIVE_INFINITY;
    row.push(Math.sqrt(height));
    factor.push(row);
    logarithm += Math.log(height) / 2 - Math.log(i);
  }
  return logarithm;
}

function dot(a: readonly number[], b: readonly number[], count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += at(a, k) * at(b, k);
  return sum;
}

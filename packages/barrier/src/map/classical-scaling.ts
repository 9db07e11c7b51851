import { at, meanOf } from "@isthmus/core";
import { createMatrix, symmetricEigen } from "@isthmus/linear-algebra";

/** Place in the plane. */
export type Place = readonly [x: number, y: number];

/**
 * Finds places for points in the plane by their distances: classical multidimensional scaling, which
 * projects them on the plane in which they lie farthest apart. It is exact for points that lie in a plane.
 *
 * The point farthest from the origin along an axis is on the axis' positive side, so that the places do not
 * depend on the signs of eigenvectors.
 * @param distances - `[points][points]`, symmetric
 * @returns place of each point; the mean of all places is the origin
 * @see Torgerson, Multidimensional scaling: I. Theory and method, 1952
 */
export function scaleClassically(distances: readonly (readonly number[])[]): Place[] {
  const n = distances.length;
  const { values, vectors } = symmetricEigen(createMatrix(n, n, centredProducts(distances)));
  const axes = [0, 1].map((axis) => {
    const length = Math.sqrt(Math.max(0, at(values, axis, "eigenvalue")));
    const along = distances.map((_, i) => length * at(vectors.data, i * n + axis, "vector"));
    const farthest = along.reduce((far, value) => (Math.abs(value) > Math.abs(far) ? value : far), 0);
    return along.map((value) => (farthest < 0 ? 0 - value : value));
  });
  return distances.map((_, i) => axes.map((axis) => at(axis, i, "place")) as [number, number]);
}

/** Computes the inner products of points, relative to their mean, from their distances, `[n * n]`. */
function centredProducts(distances: readonly (readonly number[])[]): Float64Array {
  const squares = distances.map((row) => row.map((distance) => distance ** 2));
  const means = squares.map(meanOf);
  const mean = meanOf(means);
  return Float64Array.from(
    squares.flatMap((row, i) =>
      row.map((square, j) => -(square - at(means, i, "mean") - at(means, j, "mean") + mean) / 2),
    ),
  );
}

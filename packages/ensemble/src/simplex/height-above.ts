import { at } from "@isthmus/core";

/** Height of a point above the space that other points span, with its direction. */
export interface Height {
  /** Distance of the point from the space. */
  readonly height: number;
  /** Vector from the nearest place of the space to the point; overwritten by the next call. */
  readonly upwards: Float64Array;
}

/** Function that measures the height of a point above the space through a base and some other points. */
export type HeightAbove = (point: Float64Array) => Height;

/**
 * Prepares the measurement of heights above the space through a base and some other points. Points that lie
 * in the space of the points before them are left out.
 */
export function heightAbove(base: Float64Array, others: readonly Float64Array[]): HeightAbove {
  const axes: Float64Array[] = [];
  for (const other of others) {
    const edge = other.map((value, i) => value - (base[i] as number));
    const length = normOf(edge);
    removeInPlace(edge, axes);
    const height = normOf(edge);
    if (height > 1e-9 * length) axes.push(edge.map((value) => value / height));
  }
  const upwards = new Float64Array(base.length);
  return (point) => {
    for (let i = 0; i < upwards.length; i++) upwards[i] = (point[i] as number) - (base[i] as number);
    removeInPlace(upwards, axes);
    return { height: normOf(upwards), upwards };
  };
}

/**
 * Removes the parts of a vector along orthonormal axes; twice, as rounding errors leave small parts after the
 * first pass.
 */
function removeInPlace(vector: Float64Array, axes: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) {
    for (const axis of axes) {
      let along = 0;
      for (let i = 0; i < vector.length; i++) along += (vector[i] as number) * (axis[i] as number);
      for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) - along * (axis[i] as number);
    }
  }
}

function normOf(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}

/** Returns the squared distances between points, a row for each. */
export function squaredDistances(points: readonly Float64Array[]): number[][] {
  return points.map((a) =>
    points.map((b) => {
      let sum = 0;
      for (let i = 0; i < a.length; i++) sum += (at(a, i) - at(b, i)) ** 2;
      return sum;
    }),
  );
}

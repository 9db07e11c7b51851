import { at } from "@isthmus/core";
import type { Points } from "./aggregation-rule.ts";

/** Returns the side of a Gram matrix: the number of points, and one more if the rule carries a point. */
export function sizeOfGram({ gram }: Points): number {
  return Math.round(Math.sqrt(gram.length));
}

/**
 * Computes the squared distances of all pairs of points from their inner products, `[points, points]`.
 *
 * The distances are computed in f64 and from displacements, not from whole networks, so that the terms that
 * cancel are no larger than the displacement of a client in a round. A distance of equal points that rounding
 * makes negative becomes 0.
 */
export function squaredDistances(points: Points): Float64Array {
  const { gram } = points;
  const size = sizeOfGram(points);
  const squares = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      if (i === j) continue;
      // Both products, which rounding may make differ after mixing: rules rely on distances being symmetric.
      const products = at(gram, i * size + j) + at(gram, j * size + i);
      const square = at(gram, i * size + i) + at(gram, j * size + j) - products;
      // An update with NaN is infinitely far from all others.
      squares[i * size + j] = Number.isNaN(square) ? Number.POSITIVE_INFINITY : Math.max(0, square);
    }
  }
  return squares;
}

/** Returns the length of each point's displacement, `[points]`. */
export function normsOf(points: Points): number[] {
  const size = sizeOfGram(points);
  return Array.from({ length: points.count }, (_, i) => Math.sqrt(at(points.gram, i * size + i)));
}

/**
 * Computes the distance of each point from a weighted mean of all: from squared distances `D` of pairs and
 * weights `w` of sum 1 it is the root of `(D w)_i - w^T D w / 2`.
 */
export function distancesFrom(weights: readonly number[], squares: Float64Array): number[] {
  const { length: size } = weights;
  const sums = weights.map((_, i) =>
    weights.reduce((sum, weight, j) => sum + weight * at(squares, i * size + j), 0),
  );
  const spread = sums.reduce((sum, value, i) => sum + value * at(weights, i), 0) / 2;
  return sums.map((sum) => Math.sqrt(Math.max(0, sum - spread)));
}

/** Returns weights of sum 1 by which points are averaged: their shares of examples, or equal ones. */
export function meanWeights({ count, shares }: Points, weighted: boolean): readonly number[] {
  return weighted ? shares : Array.from({ length: count }, () => 1 / count);
}

/** Returns weights that average some of the points, by examples or equally, and leave out the others. */
export function weightsOfChosen(points: Points, chosen: readonly number[], weighted: boolean): number[] {
  const weights = Array.from({ length: points.count }, () => 0);
  const sum = chosen.reduce((total, i) => total + at(points.shares, i), 0);
  for (const i of chosen) weights[i] = weighted ? at(points.shares, i) / sum : 1 / chosen.length;
  return weights;
}

/** Returns positions in the order of their values, from the smallest; of equal ones the earlier is first. */
export function orderBy(values: ArrayLike<number>): number[] {
  return Array.from(values, (_, i) => i).sort((i, j) => at(values, i) - at(values, j) || i - j);
}

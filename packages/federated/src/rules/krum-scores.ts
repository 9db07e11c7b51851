import { at } from "@isthmus/core";

/**
 * Scores points by the sum of squared distances to their nearest others: `n - f - 2` of them, at least 1.
 *
 * A point is left out of its own neighbours by its position. Flower and byzfl sort all distances and drop the first,
 * which is another point where two coincide, or where rounding makes a distance less than 0.
 *
 * @param squares - squared distances of all points, `[size, size]`
 * @param among - positions of the points that are still there
 * @returns scores in the order of `among`
 */
export function krumScores(squares: Float64Array, among: readonly number[], f: number): number[] {
  const size = Math.round(Math.sqrt(squares.length));
  const nearest = Math.max(1, among.length - f - 2);
  return among.map((i) => {
    const others = among.filter((j) => j !== i).map((j) => at(squares, i * size + j));
    return Float64Array.from(others)
      .sort()
      .subarray(0, nearest)
      .reduce((sum, square) => sum + square, 0);
  });
}

/** Returns how many points Krum needs so that most neighbours of an honest one are honest. */
export function leastOfKrum({ f }: { readonly f: number }): { count: number; reason: string } {
  if (f === 0) return { count: 1, reason: "without attackers any update will do" };
  return { count: 2 * f + 3, reason: "Krum needs 2 f + 3 updates to resist f" };
}

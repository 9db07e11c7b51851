import { at } from "@isthmus/core";
import { orderBy } from "./points.ts";

/**
 * Scores points by the sum of squared distances to their nearest others: `n - f - 2` of them, at least 1.
 *
 * A point is left out of its own neighbours by its position. Flower and byzfl sort all distances and drop the
 * first, which is another point if two points coincide, or if rounding makes a distance negative.
 *
 * Neighbours are sorted once, so that Bulyan can compute scores again and again, each time for fewer points.
 *
 * @param squares - squared distances of all points, `[points, points]`
 * @returns function that computes the scores of the points that remain, in their order
 */
export function krumScorer(squares: Float64Array, f: number): (among: readonly number[]) => number[] {
  const size = Math.round(Math.sqrt(squares.length));
  const neighbours = Array.from({ length: size }, (_, i) =>
    orderBy(squares.subarray(i * size, (i + 1) * size)).filter((j) => j !== i),
  );
  return (among) => {
    const isThere = new Uint8Array(size);
    for (const i of among) isThere[i] = 1;
    const nearest = Math.max(1, among.length - f - 2);
    return among.map((i) => {
      let [sum, counted] = [0, 0];
      for (const j of at(neighbours, i, "point")) {
        if (counted === nearest) break;
        if (isThere[j] === 0) continue;
        sum += at(squares, i * size + j);
        counted++;
      }
      return sum;
    });
  };
}

/** Returns the number of points that Krum needs so that most neighbours of an honest point are honest. */
export function leastOfKrum({ f }: { readonly f: number }): { count: number; reason: string } {
  if (f === 0) return { count: 1, reason: "without attackers any update will do" };
  return { count: 2 * f + 3, reason: "Krum needs 2 f + 3 updates to resist f" };
}

import type { Points } from "../rules/aggregation-rule.ts";
import { clipFactor } from "../rules/norm-bound.ts";
import { normsOf } from "../rules/points.ts";
import type { MixedPoints } from "./pre-aggregation.ts";

/** Returns the points, each shortened to a bound on its length if it is longer. */
export function clipPoints(points: Points, bound: number): MixedPoints {
  const factors = normsOf(points).map((norm) => clipFactor(norm, bound));
  const mixture = factors.map((factor, i) => factors.map((_, j) => (i === j ? factor : 0)));
  return { mixture, shares: points.shares };
}

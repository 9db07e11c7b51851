import type { Points } from "../rules/aggregation-rule.ts";
import { clipFactor } from "../rules/norm-bound.ts";
import { normsOf } from "../rules/points.ts";
import type { MixedPoints } from "./pre-aggregation.ts";

/** Returns points that are shortened to a length where they are longer. */
export function clipPoints(points: Points, bound: number): MixedPoints {
  const factors = normsOf(points).map((norm) => clipFactor(norm, bound));
  const mixture = factors.map((factor, i) => factors.map((_, j) => (i === j ? factor : 0)));
  return { mixture, shares: points.shares };
}

import { at, sumOf } from "@isthmus/core";
import type { LinearRule } from "./aggregation-rule.ts";
import { leastOfMajority } from "./majority.ts";
import { F, type FSpecs } from "./parameters.ts";
import { sizeOfGram, squaredDistances, weightsOfChosen } from "./points.ts";

/**
 * Minimum-diameter averaging: the mean of the `n - f` updates of which the farthest two are nearest.
 *
 * The first of several such sets in the order of names is taken, as in byzfl 0.0.11, which tries all sets.
 * Here a bisection over distances asks whether dropping `f` updates leaves no two that are farther apart: a
 * vertex cover, found in time exponential in `f` alone.
 */
export const mda: LinearRule<FSpecs> = {
  kind: "linear",
  name: "mda",
  description: "Averages the set of all but f updates that lies closest together.",
  source: "El Mhamdi et al., Genuinely distributed Byzantine machine learning, 2020, section 3 (MDA)",
  parameters: { f: F },
  needs: ["gram"],
  robust: true,
  least: leastOfMajority,
  weigh(points, { f }) {
    const { count } = points;
    const squares = squaredDistances(points);
    const size = sizeOfGram(points);
    const conflictsAt = (limit: number): Conflicts =>
      points.shares.map(
        (_, i) => new Set(points.shares.flatMap((__, j) => (at(squares, i * size + j) > limit ? [j] : []))),
      );
    const limits = Float64Array.from(new Set(squares)).sort();
    let [low, high] = [0, limits.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (canCover(conflictsAt(at(limits, middle)), f)) high = middle;
      else low = middle + 1;
    }
    const chosen = firstIndependent(conflictsAt(at(limits, low)), f).slice(0, count - f);
    return { weights: weightsOfChosen(points, chosen, false) };
  },
};

/**
 * For each point, the set of the points that are too far from it. The set of a dropped point is empty, and no
 * other set contains a dropped point.
 */
type Conflicts = readonly ReadonlySet<number>[];

/** Checks whether dropping at most `budget` points leaves no conflict. */
function canCover(conflicts: Conflicts, budget: number): boolean {
  const degrees = conflicts.map(({ size }) => size);
  const most = Math.max(...degrees);
  if (most === 0) return true;
  // Each point that is dropped ends `most` conflicts at best; every conflict is counted from both ends.
  if (sumOf(degrees) > 2 * most * budget) return false;
  const point = degrees.indexOf(most);
  // Either the point with the most conflicts is dropped, or all points with which it is in conflict.
  if (canCover(without(conflicts, [point]), budget - 1)) return true;
  return most <= budget && canCover(without(conflicts, at(conflicts, point)), budget - most);
}

/** Returns the first points, in order, that can stay without conflict when `budget` are dropped. */
function firstIndependent(all: Conflicts, budget: number): number[] {
  const dropped = new Set<number>();
  let conflicts = all;
  const staying: number[] = [];
  for (const point of all.keys()) {
    if (dropped.has(point)) continue;
    const others = at(conflicts, point);
    const rest = without(conflicts, others);
    const left = budget - dropped.size - others.size;
    if (left >= 0 && canCover(rest, left)) {
      staying.push(point);
      for (const other of others) dropped.add(other);
      conflicts = rest;
    } else {
      dropped.add(point);
      conflicts = without(conflicts, [point]);
    }
  }
  return staying;
}

function without(conflicts: Conflicts, points: Iterable<number>): Conflicts {
  const gone = new Set(points);
  return conflicts.map((others, i) =>
    gone.has(i) ? new Set<number>() : new Set([...others].filter((j) => !gone.has(j))),
  );
}

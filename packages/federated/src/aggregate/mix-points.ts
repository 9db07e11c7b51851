import { at } from "@isthmus/core";
import type { MixedPoints } from "../pre-aggregation/pre-aggregation.ts";
import type { Points } from "../rules/aggregation-rule.ts";

/** Points that are weighted sums of the clients' updates, with the weights. */
export interface Mixed {
  /** The weighted sums as points, with their inner products. */
  readonly points: Points;
  /** Weights of the clients' updates in each point, `[points][updates]`. */
  readonly mixture: readonly (readonly number[])[];
}

/** Returns points that are the updates themselves. */
export function unmixed(points: Points): Mixed {
  const identity = Array.from({ length: points.count }, (_, i) =>
    Array.from({ length: points.count }, (_, j) => (i === j ? 1 : 0)),
  );
  return { points, mixture: identity };
}

/** Returns each point multiplied by a number. */
export function scalePoints({ points, mixture }: Mixed, factors: readonly number[]): Mixed {
  const { shares } = points;
  const diagonal = factors.map((factor, i) => factors.map((_, j) => (i === j ? factor : 0)));
  return mixPoints({ points, mixture }, { mixture: diagonal, shares });
}

/**
 * Returns the points that a pre-aggregation step makes of others. Inner products of sums are sums of inner
 * products, so no network is read again.
 */
export function mixPoints({ points, mixture }: Mixed, step: MixedPoints): Mixed {
  const { count, gram } = points;
  const mix = (values: readonly number[]) => step.mixture.map((row) => weightedMean(row, values));
  return {
    mixture: step.mixture.map((row) => mixRows(row, mixture)),
    points: {
      count: step.mixture.length,
      shares: step.shares,
      losses: mix(points.losses),
      staleness: mix(points.staleness),
      gram: gram.length === 0 ? gram : mixGram(gram, count, step.mixture),
    },
  };
}

/** Returns the weight of each update, `[updates]`, in a weighted sum of points that are sums of updates. */
export function mixRows(weights: readonly number[], mixture: Mixed["mixture"]): number[] {
  const [first = []] = mixture;
  return first.map((_, k) =>
    mixture.reduce((sum, row, j) => sum + at(weights, j, "weight") * at(row, k, "update"), 0),
  );
}

/** Returns the mean of the points' values, weighted by the absolute values of the points' weights. */
function weightedMean(weights: readonly number[], values: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  if (total === 0) return weights.reduce((sum, _, j) => sum + at(values, j), 0) / weights.length;
  return (
    weights.reduce((sum, weight, j) => (weight === 0 ? sum : sum + Math.abs(weight) * at(values, j)), 0) /
    total
  );
}

/** Computes `M G M'` of a mixture `M` and a Gram matrix `G`; a carried point, the last, is not mixed. */
function mixGram(gram: Float64Array, count: number, mixture: MixedPoints["mixture"]): Float64Array {
  const size = Math.round(Math.sqrt(gram.length));
  const carried = size - count;
  const rows = [
    ...mixture.map((row) => [...row, ...new Array<number>(carried).fill(0)]),
    ...Array.from({ length: carried }, (_, c) =>
      Array.from({ length: size }, (_, j) => (j === count + c ? 1 : 0)),
    ),
  ];
  const half = rows.map((row) =>
    Float64Array.from({ length: size }, (_, j) => sumOf(row, (k) => at(gram, k * size + j))),
  );
  const mixed = new Float64Array(rows.length ** 2);
  for (const [a, left] of half.entries()) {
    for (const [b, row] of rows.entries()) mixed[a * rows.length + b] = sumOf(row, (k) => at(left, k));
  }
  return mixed;
}

function sumOf(weights: readonly number[], valueAt: (k: number) => number): number {
  let sum = 0;
  for (const [k, weight] of weights.entries()) if (weight !== 0) sum += weight * valueAt(k);
  return sum;
}

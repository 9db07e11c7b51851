import { at, sumOf } from "@isthmus/core";
import type { LinearRule } from "./aggregation-rule.ts";
import { type OfMerge, weightedBy } from "./parameters.ts";
import { distancesFrom, meanWeights, normsOf, squaredDistances } from "./points.ts";

type GeometricMedianSpecs = {
  readonly nu: OfMerge<number>;
  readonly iterations: OfMerge<number>;
  readonly start: OfMerge<"mean" | "network">;
  readonly weighted: OfMerge<boolean>;
};

const PARAMETERS: GeometricMedianSpecs = {
  nu: {
    description: "Distance below which a point counts as if it were that far away.",
    of: "merge",
    default: 1e-6,
    least: 1e-300,
  },
  iterations: {
    description: "Largest number of steps of Weiszfeld's algorithm; it ends before where it stands still.",
    of: "merge",
    default: 1000,
    least: 1,
    whole: true,
  },
  start: {
    description: "Where to begin: at the mean of the updates, or at the global network.",
    of: "merge",
    default: "mean",
    choices: ["mean", "network"],
  },
  weighted: weightedBy(true),
};

/** Change of a weight, as a share of all, that counts as standing still. */
const STILL = 1e-15;

/**
 * The point that has the smallest sum of distances to all updates, by the smoothed Weiszfeld algorithm.
 *
 * The iteration needs inner products alone, so that it costs next to nothing to continue until the weights
 * stand still; the paper and byzfl 0.0.11 end after 3 steps. byzfl begins at 0 (`start: "network"`) with
 * `nu: 0.1` and counts all equally.
 */
export const geometricMedian: LinearRule<GeometricMedianSpecs> = {
  kind: "linear",
  name: "geometric-median",
  description: "Takes the point with the smallest sum of distances to all updates.",
  source: "Pillutla et al., Robust aggregation for federated learning, 2022, algorithm 2",
  parameters: PARAMETERS,
  needs: ["gram"],
  robust: true,
  weigh(points, { nu, iterations, start, weighted }) {
    const alphas = meanWeights(points, weighted);
    const squares = squaredDistances(points);
    let weights: readonly number[] = alphas;
    let distances = start === "mean" ? distancesFrom(weights, squares) : normsOf(points);
    for (let step = 0; step < iterations; step++) {
      const before = weights;
      weights = normalize(alphas.map((alpha, i) => alpha / Math.max(nu, at(distances, i))));
      if (step > 0 && weights.every((weight, i) => Math.abs(weight - at(before, i)) <= STILL)) break;
      distances = distancesFrom(weights, squares);
    }
    return { weights };
  },
};

function normalize(weights: readonly number[]): number[] {
  const sum = sumOf(weights);
  return weights.map((weight) => weight / sum);
}

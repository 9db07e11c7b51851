import type { Random } from "@isthmus/core";
import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";
import type { Points } from "../rules/aggregation-rule.ts";

/**
 * Points that a step before an aggregation rule makes, each a weighted sum of the points that the step got.
 */
export interface MixedPoints {
  /** Weights of the points before in each new one, `[new points][points]`. */
  readonly mixture: readonly (readonly number[])[];
  /** Share of all examples behind each new point, `[new points]`, with a sum of 1. */
  readonly shares: readonly number[];
}

/**
 * A step before an aggregation rule, which turns the updates into points that attackers can move less. Each
 * step is one file under `pre-aggregation/`.
 */
export interface PreAggregation<P extends ParameterSpecs = ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** Description of the step in one sentence. */
  readonly description: string;
  /** Source of the step: paper, section and equation. */
  readonly source: string;
  /** Parameters of the step, all with `of: "merge"`: one value for all clients, not a value for each. */
  readonly parameters: P;
  /** Whether the step needs the inner products of the updates. */
  readonly needsGram: boolean;
  /** Returns the new points as weighted sums of the points before. */
  mix(points: Points, parameters: TensorParameters<P>, random: Random): MixedPoints;
}

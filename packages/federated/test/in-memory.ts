import { at, createRandom } from "@isthmus/core";
import { type GivenParameters, type ParameterSpecs, resolveParameters } from "@isthmus/merging";
import { type Mixed, mixPoints, unmixed } from "../src/aggregate/mix-points.ts";
import type { PreAggregation } from "../src/pre-aggregation/pre-aggregation.ts";
import type { AggregationRule, Points } from "../src/rules/aggregation-rule.ts";

/** Numbers of the updates beside their elements; all clients are alike where none are given. */
export interface PointsOptions {
  /** Numbers of examples; only ratios count. @defaultValue the same for all */
  readonly examples?: readonly number[] | undefined;
  readonly losses?: readonly number[] | undefined;
  readonly staleness?: readonly number[] | undefined;
  /** Point that a rule carries from round to round, `[elements]`. */
  readonly carried?: Float64Array | undefined;
}

/** A step before a rule, and values of its parameters. */
export interface Step {
  readonly of: PreAggregation;
  readonly parameters?: object;
}

export interface RunOptions extends PointsOptions {
  readonly parameters?: object;
  readonly steps?: readonly Step[];
}

/** Describes displacements that are in memory, `[points][elements]`, by the numbers that rules choose by. */
export function pointsOf(displacements: readonly Float64Array[], options: PointsOptions = {}): Points {
  const { carried, examples = displacements.map(() => 1) } = options;
  const total = examples.reduce((sum, n) => sum + n, 0);
  return {
    count: displacements.length,
    shares: examples.map((n) => n / total),
    losses: options.losses ?? displacements.map(() => Number.NaN),
    staleness: options.staleness ?? displacements.map(() => 0),
    gram: gramOf(carried === undefined ? displacements : [...displacements, carried]),
  };
}

/** Resolves parameters as the streaming aggregate does. */
export function parametersOf(
  { name, parameters }: { readonly name: string; readonly parameters: ParameterSpecs },
  values: object = {},
) {
  const where = { tensor: "w", networks: 1 };
  return resolveParameters(name, parameters, values as GivenParameters<ParameterSpecs>, where);
}

/** Returns the points that steps make of displacements. */
export function mixAll(
  displacements: readonly Float64Array[],
  options: RunOptions,
  random = createRandom(0),
): Mixed {
  let mixed = unmixed(pointsOf(displacements, options));
  for (const { of, parameters } of options.steps ?? []) {
    mixed = mixPoints(mixed, of.mix(mixed.points, parametersOf(of, parameters), random));
  }
  return mixed;
}

/** Adds vectors, each multiplied by its weight. */
export function combine(weights: readonly number[], vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(at(vectors, 0).length);
  for (const [k, vector] of vectors.entries()) {
    for (let i = 0; i < sum.length; i++) sum[i] = at(sum, i) + at(weights, k) * at(vector, i);
  }
  return sum;
}

/** Aggregates displacements in memory: what `aggregateUpdates` does, without networks and files. */
export function aggregateInMemory(
  rule: AggregationRule,
  displacements: readonly Float64Array[],
  options: RunOptions = {},
): Float64Array {
  const parameters = parametersOf(rule, options.parameters);
  const carries = rule.kind === "linear" && rule.carries === true;
  const carried = options.carried ?? new Float64Array(at(displacements, 0).length);
  const { points, mixture } = mixAll(displacements, {
    ...options,
    carried: carries ? carried : undefined,
  });
  const vectors = mixture.map((row) => combine(row, displacements));
  if (rule.kind === "linear") {
    return combine(rule.weigh(points, parameters).weights, carries ? [...vectors, carried] : vectors);
  }
  const out = new Float64Array(carried.length);
  const chosen = rule.choose?.(points, parameters) ?? vectors.map((_, i) => i);
  rule.combineInto(
    chosen.map((i) => at(vectors, i)),
    parameters,
    out,
  );
  return out;
}

function gramOf(vectors: readonly Float64Array[]): Float64Array {
  const { length: size } = vectors;
  return Float64Array.from({ length: size * size }, (_, k) => {
    const [left, right] = [at(vectors, Math.floor(k / size)), at(vectors, k % size)];
    return left.reduce((sum, value, i) => sum + value * at(right, i), 0);
  });
}

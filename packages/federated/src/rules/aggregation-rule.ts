import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";

/**
 * The updates of a round as points in space, each the displacement of a client's network from the one it
 * began with, known by the numbers that rules choose by and not by their elements.
 */
export interface Points {
  /** Number of points, at least 1. */
  readonly count: number;
  /** Share of all examples behind each point, `[count]`, above 0, with a sum of 1. */
  readonly shares: readonly number[];
  /** Losses of the global network on the examples of each client, `[count]`; NaN where none was sent. */
  readonly losses: readonly number[];
  /** Rounds that each update is late by, `[count]`. */
  readonly staleness: readonly number[];
  /**
   * Inner products of displacements in f64, `[points, points]` in row-major order, of the tensors that the
   * rule decides on; where the rule carries a point from round to round, that is one more point, the last.
   * Empty for rules that do not need them; only the diagonal is filled for rules that need no more than
   * norms.
   */
  readonly gram: Float64Array;
}

/** What a linear rule found: the aggregate is the sum of the points, each multiplied by its weight. */
export interface LinearAggregate {
  /** Weights, `[count]`, or `[count + 1]` for rules that carry a point. */
  readonly weights: readonly number[];
  /** Positions of the points that the rule chose, for reports. @defaultValue all of a weight other than 0 */
  readonly chosen?: readonly number[] | undefined;
}

/** What all aggregation rules say of themselves. */
interface RuleDescription<P extends ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** One sentence on what it does. */
  readonly description: string;
  /** Where it is from: paper, section and equation. */
  readonly source: string;
  /** Parameters, all with `of: "merge"`. */
  readonly parameters: P;
  /** Numbers of the updates that the rule looks at beside shares of examples. */
  readonly needs: readonly ("gram" | "norms" | "losses")[];
  /** Returns the smallest number of points that the rule is defined for, and its reason, for messages. */
  least?(parameters: TensorParameters<P>): { readonly count: number; readonly reason: string };
}

/** A rule whose aggregate is a weighted sum of the updates, with weights that depend on whole networks. */
export interface LinearRule<P extends ParameterSpecs = ParameterSpecs> extends RuleDescription<P> {
  readonly kind: "linear";
  /** Whether the aggregate of the round before is one more point, the last, `0` in the first round. */
  readonly carries?: boolean;
  /** Returns the weight of each point. */
  weigh(points: Points, parameters: TensorParameters<P>): LinearAggregate;
}

/** A rule that decides on each element by itself, such as the median. */
export interface CoordinateRule<P extends ParameterSpecs = ParameterSpecs> extends RuleDescription<P> {
  readonly kind: "coordinates";
  /** Returns positions of the points that take part. @defaultValue all */
  choose?(points: Points, parameters: TensorParameters<P>): readonly number[];
  /**
   * Writes the aggregate of every element.
   * @param values - displacements of the points that take part, `[points][elements]`; may be overwritten
   * @param out - `[elements]`
   */
  combineInto(values: readonly Float64Array[], parameters: TensorParameters<P>, out: Float64Array): void;
}

/**
 * A rule that makes one displacement of the displacements of many clients. A rule is one file under
 * `rules/`, which says all this.
 *
 * Rules are deterministic, and do not depend on the order of the points but for ties, which the earlier name
 * wins.
 */
export type AggregationRule<P extends ParameterSpecs = ParameterSpecs> = LinearRule<P> | CoordinateRule<P>;

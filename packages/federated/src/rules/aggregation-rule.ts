import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";

/**
 * The updates of a round as points in space, each the displacement of a client's network from the one it
 * began with, described by the numbers that rules choose by and not by their elements.
 */
export interface Points {
  /** Number of points, at least 1. */
  readonly count: number;
  /** Share of all examples behind each point, `[count]`, above 0, with a sum of 1. */
  readonly shares: readonly number[];
  /** Losses of the global network on the examples of each client, `[count]`; NaN if a client sent none. */
  readonly losses: readonly number[];
  /** Number of rounds by which each update is late, `[count]`. */
  readonly staleness: readonly number[];
  /**
   * Inner products of displacements in f64, `[points, points]` in row-major order, of the tensors that the
   * rule decides on; if the rule carries a point from round to round, that is one more point, the last. Empty
   * for rules that do not need inner products; only the diagonal is filled for rules that need no more than
   * norms.
   */
  readonly gram: Float64Array;
}

/** Result of a linear rule: the aggregate is the sum of the points, each multiplied by its weight. */
export interface LinearAggregate {
  /** Weights, `[count]`, or `[count + 1]` for rules that carry a point. */
  readonly weights: readonly number[];
  /** Positions of the points that the rule chose, for reports. @defaultValue all of a weight other than 0 */
  readonly chosen?: readonly number[] | undefined;
}

/** Fields that all aggregation rules have. */
interface RuleDescription<P extends ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** Description of the rule in one sentence. */
  readonly description: string;
  /** Source of the rule: paper, section and equation. */
  readonly source: string;
  /** Parameters, all with `of: "merge"`. */
  readonly parameters: P;
  /** Numbers of the updates that the rule looks at beside shares of examples. */
  readonly needs: readonly ("gram" | "norms" | "losses")[];
  /**
   * Whether a minority of clients that send anything cannot move the aggregate far. Averaged tensors such as
   * running statistics become the median of what clients sent then. @defaultValue false
   */
  readonly robust?: boolean;
  /** Returns the smallest number of points that the rule is defined for, and its reason, for messages. */
  least?(parameters: TensorParameters<P>): { readonly count: number; readonly reason: string };
}

/** A rule whose aggregate is a weighted sum of the updates, with weights that depend on whole networks. */
export interface LinearRule<P extends ParameterSpecs = ParameterSpecs> extends RuleDescription<P> {
  /** Tag of rules that weigh whole updates. */
  readonly kind: "linear";
  /** Whether the aggregate of the round before is one more point, the last, `0` in the first round. */
  readonly carries?: boolean;
  /** Returns the weight of each point. */
  weigh(points: Points, parameters: TensorParameters<P>): LinearAggregate;
}

/** A rule that decides on each element by itself, such as the median. */
export interface CoordinateRule<P extends ParameterSpecs = ParameterSpecs> extends RuleDescription<P> {
  /** Tag of rules that compute each element by itself. */
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
 * A rule that combines the displacements of many clients into one. Each rule is one file under `rules/`,
 * which has all of these fields.
 *
 * Rules are deterministic, and do not depend on the order of the points, except for ties, in which the
 * earlier name wins.
 */
export type AggregationRule<P extends ParameterSpecs = ParameterSpecs> = LinearRule<P> | CoordinateRule<P>;

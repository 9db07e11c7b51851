import { at } from "@isthmus/core";
import {
  add,
  cast,
  div,
  greater,
  less,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  sigmoid,
  softmax,
  sub,
  type Value,
} from "@isthmus/graph/builder";

/** Rule by which the router of a mixture of experts sends tokens to experts. */
export interface Routing {
  /** Number of experts to which a token is sent. */
  readonly active: number;
  /** Whether the weights of the chosen experts sum to 1; else they are the probabilities of the router. */
  readonly normalized: boolean;
  /**
   * Function from scores to probabilities: over all experts together, or of each expert alone.
   * @defaultValue softmax
   */
  readonly probabilities?: "softmax" | "sigmoid";
  /** Summand of the probabilities in the choice alone, `[experts]`. @defaultValue none */
  readonly bias?: Value;
  /** Groups of neighbouring experts of which a token is sent to a few. @defaultValue one group */
  readonly groups?: ExpertGroups | undefined;
  /** Factor of the weights of the chosen experts. @defaultValue 1 */
  readonly factor?: number;
}

/** Groups of neighbouring experts; a token is sent to experts of a few groups. */
export interface ExpertGroups {
  /** Number of groups; divides the number of experts. */
  readonly count: number;
  /** Number of groups to whose experts a token may be sent. */
  readonly active: number;
  /** Number of best experts of a group whose scores are summed to the score of the group. */
  readonly best: 1 | 2;
}

/** Summand of the scores of experts whose group is not chosen. */
const HIDDEN = 1e9;

/**
 * Returns the weights of experts for each token, `[rows, experts]`: from the probabilities of the `active`
 * experts with the largest scores, and 0 for the others.
 * @param scores - results of the router, `[rows, experts]`
 * @see DeepSeek-AI, DeepSeek-V3 technical report, 2024, section 2.1.2, for groups and biases
 */
export function routeTokens(
  scores: Value,
  { active, normalized, probabilities = "softmax", bias, groups, factor = 1 }: Routing,
): Value {
  const every = probabilities === "softmax" ? softmax(scores) : sigmoid(scores);
  // A softmax keeps the order of scores, so that they can be compared in place of probabilities.
  const compared = probabilities === "softmax" ? scores : every;
  const judged = bias === undefined ? compared : add(compared, bias);
  const chosen = largest(groups === undefined ? judged : hideGroups(judged, groups), active);
  // The one chosen expert has the share 1 whatever its probability is. The gradient of a number divided by
  // itself may be a rounding error in place of 0, which optimisers such as Adam scale to a step.
  const weights = active === 1 && normalized ? chosen : mul(every, chosen);
  const shares = normalized ? div(weights, reduceSum(weights, { axes: [1], keepDims: true })) : weights;
  return factor === 1 ? shares : mul(shares, factor);
}

/** Subtracts a large number from the scores of all experts, `[rows, experts]`, outside the best groups. */
function hideGroups(scores: Value, { count, active, best }: ExpertGroups): Value {
  const experts = at(scores.shape, 1, "axis");
  const grouped = reshape(scores, [-1, count, experts / count]);
  const bests =
    best === 1
      ? reduceMax(grouped, { axes: [2] })
      : reduceSum(mul(grouped, largest(grouped, best)), { axes: [2] });
  const hidden = mul(sub(largest(bests, active), 1), HIDDEN);
  return reshape(add(grouped, reshape(hidden, [-1, count, 1])), [-1, experts]);
}

/** Returns 1 for the `count` largest numbers along the last axis, and 0 for the others. */
function largest(values: Value, count: number): Value {
  const [, ...shape] = values.shape;
  const outer = shape.slice(0, -1);
  const extent = at(values.shape, values.shape.length - 1, "axis");
  // A number is chosen if fewer than `count` numbers are larger: unlike a sorted selection, this is the same
  // function of every number, so that no order of experts is preferred.
  const larger = greater(
    reshape(values, [-1, ...outer, 1, extent]),
    reshape(values, [-1, ...outer, extent, 1]),
  );
  return cast(less(reduceSum(cast(larger, "f32"), { axes: [values.shape.length] }), count), "f32");
}

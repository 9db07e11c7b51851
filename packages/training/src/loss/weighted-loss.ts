import { cast, div, equal, greater, mul, reduceSum, type Value, where } from "@isthmus/graph/builder";

/** Predictions, and how much each counts, all of one shape. */
interface WeightedPredictions {
  readonly losses: Value;
  /** Whether each is right. */
  readonly right: Value;
  /** f32; 0 for those that do not count. */
  readonly weights: Value;
}

/** The weighted mean of losses, 0 where all weights are 0; and how many predictions count, and how many of these are right. */
export function weightedLoss({ losses, right, weights }: WeightedPredictions): {
  readonly loss: Value;
  readonly metrics: Readonly<Record<"correct" | "counted", Value>>;
} {
  const counts = cast(greater(weights, 0), "f32");
  return {
    loss: weightedMean(losses, cast(weights, losses.dtype)),
    metrics: { correct: reduceSum(mul(cast(right, "f32"), counts)), counted: reduceSum(counts) },
  };
}

function weightedMean(x: Value, weights: Value): Value {
  const total = reduceSum(weights);
  return div(reduceSum(mul(x, weights)), where(equal(total, 0), 1, total));
}

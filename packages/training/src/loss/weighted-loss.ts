import { cast, div, equal, greater, mul, reduceSum, type Value, where } from "@isthmus/graph/builder";

/** Predictions and their weights, all of one shape. */
interface WeightedPredictions {
  /** The loss of each prediction. */
  readonly losses: Value;
  /** Whether each prediction is correct. */
  readonly correct: Value;
  /** Weight of each prediction, f32; 0 if it does not count. */
  readonly weights: Value;
}

/**
 * Computes the weighted mean of losses, 0 if all weights are 0, and counts the predictions of a weight above
 * 0 and the correct ones among them.
 */
export function weightedLoss({ losses, correct, weights }: WeightedPredictions): {
  readonly loss: Value;
  readonly metrics: Readonly<Record<"correct" | "counted", Value>>;
} {
  const counts = cast(greater(weights, 0), "f32");
  return {
    loss: weightedMean(losses, cast(weights, losses.dtype)),
    metrics: { correct: reduceSum(mul(cast(correct, "f32"), counts)), counted: reduceSum(counts) },
  };
}

function weightedMean(x: Value, weights: Value): Value {
  const total = reduceSum(weights);
  return div(reduceSum(mul(x, weights)), where(equal(total, 0), 1, total));
}

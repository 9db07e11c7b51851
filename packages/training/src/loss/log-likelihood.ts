import { at, DTYPES, type DType, OutOfRangeError } from "@isthmus/core";
import {
  add,
  argMax,
  cast,
  equal,
  logSoftmax,
  mul,
  reduceMean,
  reduceSum,
  unsqueeze,
  type Value,
  where,
} from "@isthmus/graph/builder";

/**
 * Computes the cross-entropy of each prediction, in nats: `-log softmax(logits)[label]`, mixed with the mean
 * over all classes if labels are smoothed, as PyTorch does.
 *
 * A label outside of `[0, classes)` is no class: its likelihood counts as 1.
 * @param logits - `[..., classes]`
 * @param labels - `[...]`, whole numbers
 * @returns `[...]`
 */
export function negativeLogLikelihood(logits: Value, labels: Value, labelSmoothing: number): Value {
  const logs = logSoftmax(cast(logits, widened(logits.dtype)));
  // The logarithm is picked, not multiplied by zeros and ones: for an impossible class it is minus infinity.
  const picked = reduceSum(where(isLabel(logits, labels), logs, 0), { axes: [-1] });
  if (labelSmoothing === 0) return mul(picked, -1);
  return add(mul(picked, labelSmoothing - 1), mul(reduceMean(logs, { axes: [-1] }), -labelSmoothing));
}

/** Computes whether the label has the largest logit; of several equal ones only the first counts. */
export function isCorrect(logits: Value, labels: Value): Value {
  return equal(argMax(logits, -1), cast(labels, "i64"));
}

/** Checks the share of label smoothing. @throws OutOfRangeError if it is not in `[0, 1)` */
export function assertSmoothing(labelSmoothing: number): void {
  if (labelSmoothing >= 0 && labelSmoothing < 1) return;
  throw new OutOfRangeError(
    `Cannot smooth labels as the share must be in [0, 1): labelSmoothing is ${labelSmoothing}`,
  );
}

/** Computes whether each class is the label, `[..., classes]`. */
function isLabel(logits: Value, labels: Value): Value {
  const classes = at(logits.shape, logits.shape.length - 1, "axis of logits");
  const ids = logits.builder.numbers(
    Array.from({ length: classes }, (_, id) => id),
    labels.dtype,
  );
  return equal(unsqueeze(labels, [-1]), ids);
}

/** Returns at least single precision, as half precision has too few digits for sums of exponentials. */
function widened(dtype: DType): DType {
  return DTYPES[dtype].bytes < 4 ? "f32" : dtype;
}

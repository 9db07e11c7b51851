import type { LossSpec } from "../loss/loss-spec.ts";

/** The number of predictions in a batch, and how many of them are correct. */
export interface Predictions {
  /** Correct predictions; missing if the loss has no notion of a correct one. */
  readonly correct?: number;
  /** All predictions: examples, or tokens but the first of each row. */
  readonly counted: number;
}

/**
 * Counts the predictions of a batch.
 * @param metrics - metrics of the batch, by what they measure
 * @param shape - shape of the batch's examples, `[batch, ...]`
 */
export function countPredictions(
  loss: LossSpec,
  metrics: ReadonlyMap<string, number>,
  shape: readonly number[],
): Predictions {
  const [batch = 0, length = 0] = shape;
  const correct = metrics.get("correct");
  const counted = metrics.get("counted") ?? (loss.kind === "next-token" ? batch * (length - 1) : batch);
  return correct === undefined ? { counted } : { correct, counted };
}

import type { LossSpec } from "../loss/loss-spec.ts";

/** How much was predicted in a batch, and how much of it rightly. */
export interface Predictions {
  /** Missing where the loss does not tell right from wrong. */
  readonly correct?: number;
  /** Examples, or tokens but the first of each row. */
  readonly counted: number;
}

/**
 * Counts the predictions of a batch.
 * @param metrics - of the batch, by what they are
 * @param shape - of the batch's examples, `[batch, ...]`
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

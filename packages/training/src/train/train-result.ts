import type { LossFields } from "@isthmus/graph";

/** Loss and accuracy on examples that are not trained on. */
export interface EvaluationResult {
  /** Mean loss, in the unit of the loss: nats for cross-entropy. */
  readonly loss: number;
  /**
   * Share of examples, or of tokens, that are predicted correctly, in `[0, 1]`; missing for losses whose
   * predictions are not right or wrong.
   */
  readonly accuracy?: number;
}

/** Results of an epoch. */
export interface EpochResult {
  /** Number of steps made in it. */
  readonly steps: number;
  /** Mean loss of its batches, each measured before its step. */
  readonly loss: number;
  /**
   * Share of its examples, or of tokens, that were predicted correctly, each measured before its step;
   * missing for losses whose predictions are not right or wrong.
   */
  readonly accuracy?: number;
  /** Result on the evaluation data after the epoch; missing without such data. */
  readonly evaluation?: EvaluationResult;
}

/** Results of `train`, as plain data. */
export interface TrainResult extends LossFields {
  /** Seed of the training. */
  readonly seed: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** Examples in a step. */
  readonly batch: number;
  /** One entry for every epoch. */
  readonly epochs: readonly EpochResult[];
  /** Mean loss of the last epoch's batches; NaN if there was no epoch. */
  readonly loss: number;
  /** Accuracy of the last epoch, see {@link EpochResult}. */
  readonly accuracy?: number;
  /** Result of the trained network on the evaluation data; missing without such data. */
  readonly evaluation?: EvaluationResult;
  /** Number of steps that were made before this call; 0 if it did not resume. */
  readonly resumedAt: number;
  /** Seconds from the first step of this call to the last, including evaluations and writing states. */
  readonly seconds: number;
  /** Seconds that this call spent on steps alone. */
  readonly stepSeconds: number;
  /** Examples a second while steps were made; 0 if none were left to make. */
  readonly examplesPerSecond: number;
}

/** Loss and accuracy on examples that are not trained on. */
export interface EvaluationResult {
  /** Mean loss, in nats for cross-entropy. */
  readonly loss: number;
  /** Share of examples, or of tokens, that are predicted rightly, in `[0, 1]`; missing for other losses. */
  readonly accuracy?: number;
}

/** What an epoch came to. */
export interface EpochResult {
  /** Number of steps made in it. */
  readonly steps: number;
  /** Mean loss of its batches, each before its step. */
  readonly loss: number;
  /** Share of its examples, or of tokens, that were predicted rightly, each before its step; missing for other losses. */
  readonly accuracy?: number;
  /** On the evaluation data, after the epoch; missing where there are none. */
  readonly evaluation?: EvaluationResult;
}

/** What `train` has done, as plain data. */
export interface TrainResult {
  readonly seed: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** Examples in a step. */
  readonly batch: number;
  /** One entry for every epoch. */
  readonly epochs: readonly EpochResult[];
  /** Mean loss of the last epoch's batches; NaN where there was none. */
  readonly loss: number;
  /** Of the last epoch; see {@link EpochResult}. */
  readonly accuracy?: number;
  /** Of the trained network; missing where there are no evaluation data. */
  readonly evaluation?: EvaluationResult;
  /** The step training went on from; 0 where it started. */
  readonly resumedAt: number;
  /** Seconds from the first step to the last, evaluations and checkpoints among them; of this call only. */
  readonly seconds: number;
  /** Seconds spent on steps alone; of this call only. */
  readonly stepSeconds: number;
  /** Examples a second while steps were made; 0 where there were none left. */
  readonly examplesPerSecond: number;
}

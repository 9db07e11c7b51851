/** Quality of averaged predictions: how good they are, and how well their confidence is calibrated. */
export interface PredictionQuality {
  /** Share of examples classified correctly, in `[0, 1]`. */
  readonly accuracy: number;
  /** Mean negative log likelihood, in nats. */
  readonly nll: number;
  /** Expected calibration error in 15 bins of equal width, in `[0, 1]`. */
  readonly ece: number;
  /** Mean squared distance of the probabilities from the label, in `[0, 2]`. */
  readonly brier: number;
  /**
   * Area under the ROC curve by which the largest probability separates correctly classified examples from
   * others, in `[0, 1]`; null if all examples, or none, are classified correctly.
   */
  readonly aurocMisclassification: number | null;
  /**
   * Area under the ROC curve by which the largest probability separates examples of the data from examples of
   * other data, in `[0, 1]`; missing without other data.
   */
  readonly aurocOutOfDistribution?: number;
}

/** Networks whose predicted probabilities are averaged. */
export interface Predictor extends PredictionQuality {
  /** Name of the predictor, for example `star`, `rays of the star`, `deep ensemble`. */
  readonly name: string;
  /** Number of networks that are averaged. */
  readonly members: number;
}

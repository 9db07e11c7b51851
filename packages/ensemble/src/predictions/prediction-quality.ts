import { MismatchError } from "@isthmus/core";
import type { ClassProbabilities } from "@isthmus/graph";
import { calibrationError } from "./calibration.ts";
import type { PredictionQuality } from "./predictor.ts";

/**
 * Measures the quality of predicted probabilities: how good they are, and how well their confidence is
 * calibrated.
 *
 * The predicted class is the first of the most probable ones; the confidence is its probability. An example
 * whose probabilities are NaN is classified wrongly.
 *
 * @param labels - class of each example, in `[0, classes)`
 * @param outOfDistribution - predictions of the same predictor for examples of other data
 * @throws MismatchError if there is not a row for each label, or a label is no class
 */
export function predictionQuality(
  predictions: ClassProbabilities,
  labels: Int32Array,
  outOfDistribution?: ClassProbabilities,
): PredictionQuality {
  assertLabels(predictions, labels);
  const { probabilities, classes } = predictions;
  const { confidences, correct } = confidencesOn(predictions, labels);
  let [nll, brier] = [0, 0];
  labels.forEach((label, i) => {
    nll -= Math.log(probabilities[i * classes + label] as number);
    for (let c = 0; c < classes; c++) {
      brier += ((probabilities[i * classes + c] as number) - (c === label ? 1 : 0)) ** 2;
    }
  });
  const ofCorrect = confidences.filter((_, i) => correct[i] === 1);
  const examples = labels.length;
  return {
    accuracy: ofCorrect.length / examples,
    nll: nll / examples,
    ece: calibrationError(confidences, correct),
    brier: brier / examples,
    aurocMisclassification: areaUnderCurve(
      ofCorrect,
      confidences.filter((_, i) => correct[i] === 0),
    ),
    ...(outOfDistribution && { aurocOutOfDistribution: areaAgainst(predictions, outOfDistribution) }),
  };
}

/**
 * Computes how well the largest probability separates examples of the data from examples of other data: the
 * area under the ROC curve; NaN if a probability is NaN.
 */
export function areaAgainst(predictions: ClassProbabilities, others: ClassProbabilities): number {
  // Neither side is empty, so that the area is null only if a probability is NaN.
  return areaUnderCurve(confidencesOf(predictions), confidencesOf(others)) ?? Number.NaN;
}

/** Returns the largest probability of every example, and 1 for each that is classified correctly, else 0. */
export function confidencesOn(
  predictions: ClassProbabilities,
  labels: Int32Array,
): { readonly confidences: Float64Array; readonly correct: Int32Array } {
  const { probabilities, classes } = predictions;
  const confidences = confidencesOf(predictions);
  const correct = labels.map((label, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const confidence = confidences[i] as number;
    return row[label] === confidence && row.indexOf(confidence) === label ? 1 : 0;
  });
  return { confidences, correct };
}

/** Returns the largest probability of every example. */
function confidencesOf({ probabilities, classes }: ClassProbabilities): Float64Array {
  return Float64Array.from({ length: probabilities.length / classes }, (_, i) =>
    Math.max(...probabilities.subarray(i * classes, (i + 1) * classes)),
  );
}

/**
 * Checks that predictions are of labelled examples.
 * @throws MismatchError if there is not a row for each label, or a label is no class
 */
export function assertLabels({ probabilities, classes }: ClassProbabilities, labels: Int32Array): void {
  if (labels.length === 0 || probabilities.length !== labels.length * classes) {
    throw new MismatchError(
      `Cannot judge predictions as there must be a row of ${classes} probabilities for each of at least one label: there are ${probabilities.length} numbers for ${labels.length} labels`,
      { parameters: [] },
    );
  }
  const wrong = labels.find((label) => !(label >= 0 && label < classes));
  if (wrong === undefined) return;
  throw new MismatchError(
    `Cannot judge predictions as labels must be below the ${classes} classes of the network: one is ${wrong}`,
    { parameters: [] },
  );
}

/**
 * Computes the area under the ROC curve of a score that separates positives from negatives: the probability
 * that a random positive scores higher than a random negative, where equal scores count half. It is exact, by
 * ranks (Mann and Whitney 1947), in `O(n log n)`.
 *
 * @param positives - scores of the positives, in any order
 * @param negatives - scores of the negatives, in any order
 * @returns a number in `[0, 1]`; null if there are no positives or no negatives, or a score is NaN
 */
export function areaUnderCurve(positives: ArrayLike<number>, negatives: ArrayLike<number>): number | null {
  if (positives.length === 0 || negatives.length === 0) return null;
  const above = Float64Array.from(positives).sort();
  const below = Float64Array.from(negatives).sort();
  // NaN sorts last.
  if (Number.isNaN(above.at(-1)) || Number.isNaN(below.at(-1))) return null;
  let less = 0;
  let lessOrEqual = 0;
  let wins = 0;
  for (const score of above) {
    while (less < below.length && (below[less] as number) < score) less++;
    while (lessOrEqual < below.length && (below[lessOrEqual] as number) <= score) lessOrEqual++;
    wins += (less + lessOrEqual) / 2;
  }
  return wins / (above.length * below.length);
}

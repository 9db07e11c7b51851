import { MismatchError } from "@isthmus/core";
import type { ClassProbabilities } from "@isthmus/graph";
import type { PredictionQuality } from "../star-result.ts";
import { areaUnderCurve } from "./area-under-curve.ts";
import { calibrationError } from "./calibration-error.ts";

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
  const confidences = confidencesOf(predictions);
  const correct = labels.map((label, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const confidence = confidences[i] as number;
    return row[label] === confidence && row.indexOf(confidence) === label ? 1 : 0;
  });
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
    ...(outOfDistribution && {
      // Neither side is empty, so that the area is null only if a probability is NaN.
      aurocOutOfDistribution: areaUnderCurve(confidences, confidencesOf(outOfDistribution)) ?? Number.NaN,
    }),
  };
}

/** Returns the largest probability of every example. */
function confidencesOf({ probabilities, classes }: ClassProbabilities): Float64Array {
  return Float64Array.from({ length: probabilities.length / classes }, (_, i) =>
    Math.max(...probabilities.subarray(i * classes, (i + 1) * classes)),
  );
}

function assertLabels({ probabilities, classes }: ClassProbabilities, labels: Int32Array): void {
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

import { at, meanOf } from "@isthmus/core";
import type { Architecture, ClassProbabilities, DataSet } from "@isthmus/graph";
import {
  type AveragePredictionsOptions,
  averagePredictions,
  type NetworkStream,
} from "./average-predictions.ts";
import { binConfidences, type ConfidenceBin } from "./calibration.ts";
import { areaAgainst, confidencesOn, predictionQuality } from "./prediction-quality.ts";
import type { PredictionQuality, Predictor } from "./predictor.ts";
import { readLabels } from "./read-labels.ts";

/** Quality of averaged predictions, also against several other data sets. */
export interface JudgedQuality extends Omit<PredictionQuality, "aurocOutOfDistribution"> {
  /**
   * Areas under the ROC curve by which the largest probability separates examples of the data from examples
   * of each other data set, in `[0, 1]`.
   */
  readonly aurocOthers: readonly number[];
}

/** Networks whose predicted probabilities are averaged, with their quality. */
export interface JudgedPredictor extends JudgedQuality, Pick<Predictor, "name" | "members"> {
  /** Accuracy by confidence: the bins of the calibration error. */
  readonly reliability: readonly ConfidenceBin[];
}

/** Architecture, with the examples by which predictors are judged. */
export interface JudgedTask extends Architecture {
  /** Examples to predict, which were not used for training. */
  readonly data: DataSet;
  /** Other data, for which a predictor should have low confidence; their labels are not used. */
  readonly others: readonly DataSet[];
}

/** Options of {@link createJudge}. */
export interface JudgeOptions
  extends Pick<AveragePredictionsOptions, "batchSize" | "predictionsPath" | "signal"> {
  /** Called after each network. */
  readonly onNetwork?: (() => void) | undefined;
}

/**
 * Function that measures the quality of the mean predictions of several networks, and of each network alone.
 */
export type Judge = (
  name: string,
  networks: NetworkStream,
) => Promise<{ readonly predictor: JudgedPredictor; readonly singles: readonly JudgedQuality[] }>;

/**
 * Prepares the evaluation of predictors on labelled examples, and on other data for which they should have
 * low confidence.
 * @throws InputError or MismatchError, when predictors are judged, if data or networks do not fit the graph
 */
export function createJudge(
  { graph, engine, data, others }: JudgedTask,
  { onNetwork, ...options }: JudgeOptions,
): Judge {
  const labels = readLabels(data);
  const qualityOf = (predictions: readonly ClassProbabilities[]): JudgedQuality => {
    const first = at(predictions, 0, "data set");
    return {
      ...predictionQuality(first, labels),
      aurocOthers: predictions.slice(1).map((other) => areaAgainst(first, other)),
    };
  };
  return async (name, networks) => {
    const singles: JudgedQuality[] = [];
    const mean = await averagePredictions({ graph, engine, data: [data, ...others] }, networks, {
      ...options,
      onNetwork(predictions) {
        singles.push(qualityOf(predictions));
        onNetwork?.();
      },
    });
    const { confidences, correct } = confidencesOn(at(mean, 0, "data set"), labels);
    const reliability = binConfidences(confidences, correct);
    return { predictor: { name, members: singles.length, ...qualityOf(mean), reliability }, singles };
  };
}

/** Computes the mean of every number over the networks; areas that are null or NaN are left out. */
export function meanQuality(qualities: readonly JudgedQuality[]): JudgedQuality {
  const mean = (numberOf: (quality: JudgedQuality) => number | null | undefined): number => {
    return meanOf(qualities.map(numberOf).filter((value) => typeof value === "number"));
  };
  const misclassification = mean((quality) => quality.aurocMisclassification);
  return {
    accuracy: mean(({ accuracy }) => accuracy),
    nll: mean(({ nll }) => nll),
    ece: mean(({ ece }) => ece),
    brier: mean(({ brier }) => brier),
    aurocMisclassification: Number.isNaN(misclassification) ? null : misclassification,
    aurocOthers: (qualities[0]?.aurocOthers ?? []).map((_, i) => mean(({ aurocOthers }) => aurocOthers[i])),
  };
}

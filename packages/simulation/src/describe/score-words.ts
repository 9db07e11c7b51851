import { formatNumber, lossColumn, type TableColumn } from "@isthmus/findings";
import type { SimulationResult } from "../result/simulation-result.ts";
import { type ScoreScale, scaleOf } from "../result/summarize-runs.ts";

/**
 * Words and forms in which scores of federations are shown: accuracies, or losses if the loss has no errors.
 */
export interface ScoreWords extends ScoreScale {
  /** Name of the score in the middle of a sentence. */
  readonly name: "accuracy" | "loss";
  /** Name of the score at the beginning of a title. */
  readonly title: "Accuracy" | "Loss";
  /** Title of an axis, with the unit. */
  readonly axis: string;
  /** Kind and unit of a column of scores. */
  readonly column: Pick<TableColumn, "kind" | "unit">;
  /** Writes a score. */
  format(score: number): string;
}

/** Returns the words in which the scores of a simulation are shown. */
export function scoreWords(result: Pick<SimulationResult, "runs">): ScoreWords {
  const { hasErrors, losses } = scaleOf(result);
  if (hasErrors) {
    return {
      hasErrors,
      losses,
      name: "accuracy",
      title: "Accuracy",
      axis: "Accuracy (%)",
      column: { kind: "share" },
      format: (share) => `${(100 * share).toFixed(1)} %`,
    };
  }
  return {
    hasErrors,
    losses,
    name: "loss",
    title: "Loss",
    axis: losses.axis("Loss"),
    column: lossColumn(losses.unit),
    format: formatNumber,
  };
}

import type { StarResult } from "@isthmus/star-domain";
import { dataWords } from "../data-words.ts";
import type { Section } from "./report.ts";

/** Describes the quality of averaged predictions; no section if the result has none. */
export function predictorsSection({ predictions }: StarResult): Section[] {
  if (!predictions) return [];
  const { predictors, data, examples, outOfDistribution } = predictions;
  const other =
    outOfDistribution === undefined
      ? ""
      : ` The last column tells them from ${dataWords(outOfDistribution.data, outOfDistribution.examples)}.`;
  return [
    {
      name: "predictors",
      title: "Averaged predictions",
      figures: [],
      tables: [
        {
          name: "predictors",
          title: "Averaged predictions",
          caption: `On ${dataWords(data, examples)}. Expected calibration error (ECE) in 15 bins of equal width; Brier score in 0 to 2; area under the curve (AUROC) of telling misclassified examples by their largest probability.${other}`,
          columns: [
            { title: "Predictor", kind: "text" },
            { title: "Networks", kind: "count" },
            { title: "Accuracy", kind: "share" },
            { title: "NLL", kind: "loss", unit: "nats" },
            { title: "ECE", kind: "number" },
            { title: "Brier", kind: "number" },
            { title: "AUROC, misclassified", kind: "number" },
            ...(outOfDistribution === undefined
              ? []
              : [{ title: "AUROC, other data", kind: "number" as const }]),
          ],
          rows: predictors.map((predictor) => ({
            cells: [
              predictor.name,
              predictor.members,
              predictor.accuracy,
              predictor.nll,
              predictor.ece,
              predictor.brier,
              predictor.aurocMisclassification,
              ...(outOfDistribution === undefined ? [] : [predictor.aurocOutOfDistribution ?? null]),
            ],
          })),
        },
      ],
    },
  ];
}

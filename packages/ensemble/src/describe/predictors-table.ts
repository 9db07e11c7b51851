import { dataWords, type Table, type TableColumn } from "@isthmus/findings";
import type { NamedData } from "../ensemble-result.ts";
import type { JudgedPredictor } from "../predictions/create-judge.ts";

/** Predictor in the form that tables show. */
type ShownPredictor = Omit<JudgedPredictor, "reliability">;

/** Makes the table of the quality of predictions. */
export function predictorsTable(
  predictors: readonly ShownPredictor[],
  { data, examples, others }: NamedData & { readonly others: readonly NamedData[] },
): Table {
  return {
    name: "predictors",
    title: "Averaged predictions",
    caption: `On ${dataWords(data, examples)}. Expected calibration error (ECE) in 15 bins of equal width; Brier score in 0 to 2; area under the curve (AUROC) of telling misclassified examples by their largest probability.${othersWords(others)}`,
    columns: [
      { title: "Predictor", kind: "text" },
      { title: "Networks", kind: "count" },
      ...qualityColumns(others),
    ],
    rows: predictors.map((predictor) => ({
      cells: [predictor.name, predictor.members, ...qualityCells(predictor, others)],
    })),
  };
}

/** States the data to which the columns of areas belong. */
export function othersWords(others: readonly NamedData[]): string {
  const words = others.map(({ data, examples }) => dataWords(data, examples));
  if (words.length === 0) return "";
  return words.length === 1
    ? ` The last column tells them from ${words[0]}.`
    : ` The last columns tell them from ${words.join("; ")}.`;
}

/** Returns the columns of the measures of quality. */
export function qualityColumns(others: readonly NamedData[]): TableColumn[] {
  return [
    { title: "Accuracy", kind: "share" },
    { title: "NLL", kind: "loss", unit: "nats" },
    { title: "ECE", kind: "number" },
    { title: "Brier", kind: "number" },
    { title: "AUROC, misclassified", kind: "number" },
    ...others.map(({ data }): TableColumn => {
      return { title: others.length === 1 ? "AUROC, other data" : `AUROC, ${data}`, kind: "number" };
    }),
  ];
}

/** Returns the cells of {@link qualityColumns}. */
export function qualityCells(
  quality: Omit<ShownPredictor, "name" | "members">,
  others: readonly NamedData[],
): (number | null)[] {
  const { accuracy, nll, ece, brier, aurocMisclassification, aurocOthers } = quality;
  return [
    ...[accuracy, nll, ece, brier, aurocMisclassification],
    ...others.map((_, i) => aurocOthers[i] ?? null),
  ];
}

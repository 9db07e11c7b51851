import type { JudgedPredictor } from "@isthmus/ensemble";
import { formatNumber } from "@isthmus/findings";
import { formatAccuracy } from "../training/format-training.ts";
import { formatTable } from "./format-table.ts";

/** Formats the quality of predictions as a table, with an area for each other data set. */
export function formatPredictors(predictors: readonly Omit<JudgedPredictor, "reliability">[]): string {
  const others = Math.max(...predictors.map(({ aurocOthers }) => aurocOthers.length));
  const numbered = (i: number) => (others === 1 ? "AUROC other" : `AUROC other ${i + 1}`);
  const titles = ["networks", "accuracy", "NLL", "ECE", "Brier", "AUROC errors"];
  const areas = Array.from({ length: others }, (_, i) => numbered(i));
  return formatTable(
    [{ title: "predictions" }, ...[...titles, ...areas].map((title) => ({ title, align: "right" as const }))],
    predictors.map((predictor) => [
      predictor.name,
      String(predictor.members),
      formatAccuracy(predictor.accuracy),
      ...[predictor.nll, predictor.ece, predictor.brier].map(formatNumber),
      formatArea(predictor.aurocMisclassification),
      ...areas.map((_, i) => formatArea(predictor.aurocOthers[i])),
    ]),
  );
}

const formatArea = (area: number | null | undefined): string =>
  area == null || Number.isNaN(area) ? "" : area.toFixed(4);

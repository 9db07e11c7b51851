import type { JudgedPredictor } from "@isthmus/ensemble";
import { formatNumber, formatShort } from "@isthmus/findings";
import { PAIR_GROUPS, type StarResult } from "@isthmus/star-domain";
import { formatBar } from "../format/format-bar.ts";
import type { Screen } from "../format/format-chart.ts";
import { formatPairs, formatTable } from "../format/format-table.ts";
import { formatAccuracy } from "../training/format-training.ts";

const formatArea = (area: number | null | undefined): string =>
  area == null || Number.isNaN(area) ? "" : area.toFixed(4);

/** Number of cells of the longest bar. */
const BAR_WIDTH = 16;

/** Formats the barriers of a star with bars and, if there are any, the quality of its predictions. */
export function formatStar(result: StarResult, terminal: Screen): string {
  const { predictions } = result;
  const parts = [formatGroups(result, terminal)];
  if (predictions !== undefined) {
    const other = predictions.outOfDistribution;
    parts.push(
      formatPredictors(
        predictions.predictors.map(({ aurocOutOfDistribution: area, ...predictor }) => ({
          ...predictor,
          aurocOthers: area === undefined ? [] : [area],
        })),
      ),
      formatPairs([
        ["predicted", `${predictions.data}, ${predictions.examples.toLocaleString("en-US")} examples`],
        ...(other === undefined
          ? []
          : [["other data", `${other.data}, ${other.examples.toLocaleString("en-US")} examples`] as const]),
      ]),
    );
  }
  parts.push(
    formatPairs([
      [
        "measured on",
        `${result.data}, ${result.examples.toLocaleString("en-US")} examples, ${result.points} places`,
      ],
      ["pairs", result.aligned ? "aligned first" : "as trained"],
    ]),
  );
  return parts.join("\n\n");
}

function formatGroups({ barriers }: StarResult, { unicode }: Screen): string {
  const full = Math.max(...PAIR_GROUPS.map(({ key }) => barriers[key].mean).filter(Number.isFinite));
  const rows = PAIR_GROUPS.filter(({ key }) => barriers[key].pairs.length > 0).map(({ key, label }) => {
    const { pairs, mean, std } = barriers[key];
    const highest = Math.max(...pairs.map(({ loss }) => loss));
    const ratio = mean / barriers.regularRegular.mean;
    return [
      label,
      String(pairs.length),
      formatNumber(mean),
      pairs.length > 1 ? formatNumber(std) : "",
      formatNumber(highest),
      key === "regularRegular" || !Number.isFinite(ratio) ? "" : formatShort(ratio),
      formatBar(mean, { full, width: BAR_WIDTH, unicode }),
    ];
  });
  return formatTable(
    [
      { title: "loss barrier" },
      ...titled("pairs", "mean", "deviation", "highest", "to regular"),
      { title: "" },
    ],
    rows,
  );
}

const titled = (...titles: readonly string[]) => titles.map((title) => ({ title, align: "right" as const }));

/** Formats the quality of predictions as a table, with an area for each other data set. */
function formatPredictors(predictors: readonly Omit<JudgedPredictor, "reliability">[]): string {
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

import { formatBarrier, formatCount, formatMeasure, formatNumber } from "@isthmus/report";
import type { StarResult } from "@isthmus/star-domain";
import { formatBar } from "./format-bar.ts";
import { type Column, formatTable } from "./format-table.ts";
import type { Terminal } from "./terminal.ts";

/** Cells of the longest bar. */
const BAR_WIDTH = 16;

const GROUPS = [
  ["regularRegular", "regular to regular"],
  ["starHeldOut", "star to held out"],
  ["starAnchor", "star to anchor"],
] as const;

const right = (title: string): Column => ({ title, align: "right" });

/** Shows the barriers of a star as a table with bars, and the quality of predictions where they were asked for. */
export function formatStar(result: StarResult, terminal: Terminal): string {
  const { anchors, heldOut, examples, data, predictions } = result;
  const about = `A star of ${anchors.length} anchors, ${heldOut.length} networks held out; loss barriers above the chord, in nats, on ${formatCount(examples)} examples of ${data}`;
  const parts = [`${about}\n${formatGroups(result, terminal)}`];
  if (predictions !== undefined) parts.push(formatPredictors(predictions));
  return parts.join("\n\n");
}

function formatGroups({ barriers }: StarResult, { unicode }: Terminal): string {
  const groups = GROUPS.map(([key, name]) => ({ name, ...barriers[key] })).filter(
    ({ pairs }) => pairs.length > 0,
  );
  const full = Math.max(...groups.map(({ mean }) => mean).filter(Number.isFinite));
  const rows = groups.map(({ name, pairs, mean, std }) => {
    const losses = pairs.map(({ loss }) => loss);
    return [
      name,
      formatCount(pairs.length),
      ...[mean, std, Math.min(...losses), Math.max(...losses)].map((value) => formatBarrier(value, "loss")),
      formatBar(mean, { full, width: BAR_WIDTH, unicode }),
    ];
  });
  const columns = ["number", "mean", "deviation", "lowest", "highest"].map(right);
  return formatTable([{ title: "pairs" }, ...columns, { title: "" }], rows);
}

function formatPredictors(predictions: NonNullable<StarResult["predictions"]>): string {
  const { predictors, data, examples, outOfDistribution } = predictions;
  const auroc = (value: number | null | undefined): string =>
    typeof value === "number" ? formatNumber(value) : "";
  const rows = predictors.map((predictor) => [
    predictor.name,
    formatCount(predictor.members),
    formatMeasure(predictor.accuracy, "error"),
    ...[predictor.nll, predictor.ece, predictor.brier].map(formatNumber),
    auroc(predictor.aurocMisclassification),
    ...(outOfDistribution === undefined ? [] : [auroc(predictor.aurocOutOfDistribution)]),
  ]);
  const other = outOfDistribution === undefined ? [] : [`AUROC, ${outOfDistribution.data}`];
  const columns = ["networks", "accuracy", "NLL", "ECE", "Brier", "AUROC, wrong", ...other].map(right);
  return `Averaged predictions on ${formatCount(examples)} examples of ${data}\n${formatTable([{ title: "predictor" }, ...columns], rows)}`;
}

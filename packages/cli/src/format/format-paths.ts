import type { MeasuredPath, PathSummary } from "@isthmus/curve";
import {
  formatMeasure,
  formatNumber,
  formatPlace,
  lossWords,
  MEASURES,
  type Measure,
} from "@isthmus/findings";
import type { LossFields } from "@isthmus/graph";
import { renderChart } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatTable } from "./format-table.ts";
import { MAX_CHART_WIDTH } from "./terminal-charts.ts";

const SUMMARIES: readonly (readonly [key: keyof PathSummary, name: string])[] = [
  ["min", "lowest"],
  ["max", "highest"],
  ["mean", "mean over t"],
  ["lengthMean", "mean over the length"],
];

/**
 * Shows paths between two networks as a chart of the loss and a table.
 * @param result - says by which loss they were measured
 */
export function formatPaths(
  paths: readonly (readonly [label: string, path: MeasuredPath])[],
  terminal: Terminal,
  result: LossFields,
): string {
  const chart = renderChart(
    paths.map(([label, { points, loss }]) => ({
      label: `${label}: highest ${formatNumber(loss.max)}`,
      points: points.map((point) => [point.t, point.loss] as const),
    })),
    {
      width: Math.min(terminal.columns, MAX_CHART_WIDTH),
      charset: terminal.unicode ? "braille" : "ascii",
      color: terminal.color,
      yLabel: lossWords(result).axis("loss"),
      xLabel: "from A (t = 0) to B (t = 1)",
    },
  );
  return `${chart}\n\n${formatSummaries(paths)}`;
}

function formatSummaries(paths: readonly (readonly [label: string, path: MeasuredPath])[]): string {
  // Some losses have no errors.
  const measures = MEASURES.filter((measure) => paths.some(([, path]) => !Number.isNaN(path[measure].max)));
  const columns = paths.flatMap(([label]) =>
    measures.map((measure) => ({ title: `${label}: ${measure}`, align: "right" as const })),
  );
  const row = (name: string, cell: (path: MeasuredPath, measure: Measure) => string): string[] => [
    name,
    ...paths.flatMap(([, path]) => measures.map((measure) => cell(path, measure))),
  ];
  return formatTable(
    [{ title: "" }, ...columns],
    [
      ...SUMMARIES.map(([key, name]) =>
        row(name, (path, measure) => formatMeasure(path[measure][key], measure)),
      ),
      row("highest at t", (path, measure) => formatPlace(path[measure].at)),
      row("length", (path, measure) => (measure === "loss" ? formatNumber(path.length) : "")),
    ],
  );
}

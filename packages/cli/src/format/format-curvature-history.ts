import type { CurvatureHistory } from "@isthmus/curvature";
import { formatNumber } from "@isthmus/findings";
import { renderChart } from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { type Column, formatTable } from "./format-table.ts";

/** Rows of the chart, axis and legend aside. */
const CHART_HEIGHT = 9;
/** Columns beyond which a chart only gets coarser to read. */
const MAX_CHART_WIDTH = 90;

/** Shows the curvature along a training as a chart of the largest eigenvalue, and all numbers as a table. */
export function formatCurvatureHistory(result: CurvatureHistory, terminal: Terminal): string {
  const { points, unit, examples, data } = result;
  const columns = [unit, "loss", "gradient", "largest eigenvalue", "trace", "error"].map(
    (title): Column => ({ title, align: "right" }),
  );
  const rows = points.map(({ at, loss, gradientNorm, largest, trace, traceError }) => [
    String(at),
    ...[loss, gradientNorm, largest.value, trace, traceError].map(formatNumber),
  ]);
  const parts = [
    `Curvature along a training, on ${examples} examples of ${data}`,
    formatChart(result, terminal),
    formatTable(columns, rows),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function formatChart({ points, unit }: CurvatureHistory, { columns, unicode, color }: Terminal): string {
  const line = points.map(({ at, largest }) => [at, largest.value] as const);
  if (line.length < 2 || !line.every(([, value]) => Number.isFinite(value))) return "";
  return renderChart([{ label: "largest eigenvalue", points: line }], {
    width: Math.min(columns, MAX_CHART_WIDTH),
    height: CHART_HEIGHT,
    charset: unicode ? "braille" : "ascii",
    ...{ color, yLabel: "largest eigenvalue", xLabel: unit, formatY: formatNumber },
  });
}

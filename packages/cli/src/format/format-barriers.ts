import type { BarrierValues } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import {
  type BarrierCurve,
  formatBarrier,
  formatMeasure,
  formatNumber,
  formatPlace,
  type Measure,
  perplexityRows,
  renderBarrierChart,
} from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatTable } from "./format-table.ts";

const MEASURES: readonly Measure[] = ["loss", "error"];

const DEFINITIONS: readonly (readonly [key: keyof BarrierValues, name: string])[] = [
  ["chord", "barrier above the chord"],
  ["meanOfEndpoints", "above the mean of the ends"],
  ["maxEndpoint", "above the higher end"],
  ["midpoint", "at the midpoint"],
];

/** Rows of the chart, axis and legend aside. */
const CHART_HEIGHT = 12;
/** Columns beyond which a chart only gets coarser to read. */
const MAX_CHART_WIDTH = 90;

/** Shows barrier curves as a chart of the loss and a table of the numbers. */
export function formatBarriers(curves: readonly BarrierCurve[], terminal: Terminal): string {
  const chart = renderBarrierChart(curves, {
    width: Math.min(terminal.columns, MAX_CHART_WIDTH),
    height: CHART_HEIGHT,
    charset: terminal.unicode ? "braille" : "ascii",
    color: terminal.color,
  });
  return `${chart}\n\n${formatBarrierTable(curves)}`;
}

function formatBarrierTable(curves: readonly BarrierCurve[]): string {
  const columns = curves.flatMap(({ label }) =>
    MEASURES.map((measure) => ({
      title: curves.length === 1 ? measure : `${label}: ${measure}`,
      align: "right" as const,
    })),
  );
  const row = (name: string, cell: (curve: BarrierCurve, measure: Measure) => string): string[] => [
    name,
    ...curves.flatMap((curve) => MEASURES.map((measure) => cell(curve, measure))),
  ];
  const rows = [
    row("at A", ({ result }, measure) => formatMeasure(endOf(result, 0)[measure], measure)),
    row("at B", ({ result }, measure) =>
      formatMeasure(endOf(result, result.points.length - 1)[measure], measure),
    ),
    ...DEFINITIONS.map(([key, name]) =>
      row(name, ({ result }, measure) => formatBarrier(result.barrier[measure][key], measure)),
    ),
    ...perplexityRows(curves).map(({ name, values }) => [
      name,
      ...values.flatMap((value) => MEASURES.map((measure) => perplexityCell(value, measure))),
    ]),
    row("reached at t", ({ result }, measure) => formatPlace(result.barrier[measure].at)),
  ];
  const interval = curves.find(({ result }) => result.interval !== undefined)?.result.interval;
  if (interval) {
    rows.push(
      row(`${Math.round(100 * interval.level)} % interval, from`, (curve, measure) =>
        formatEnd(curve, measure, "low"),
      ),
      row(`${Math.round(100 * interval.level)} % interval, to`, (curve, measure) =>
        formatEnd(curve, measure, "high"),
      ),
    );
  }
  return formatTable([{ title: "" }, ...columns], rows);
}

function endOf({ points }: BarrierCurve["result"], index: number): BarrierCurve["result"]["points"][number] {
  return at(points, index, "point of the curve");
}

function perplexityCell(value: number | null, measure: Measure): string {
  return value === null || measure === "error" ? "" : formatNumber(value);
}

function formatEnd({ result }: BarrierCurve, measure: Measure, end: "low" | "high"): string {
  const range = result.interval?.[measure];
  return range === undefined ? "" : formatBarrier(range[end], measure);
}

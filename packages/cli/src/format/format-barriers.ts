import type { BarrierValues } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import {
  type BarrierCurve,
  formatBarrier,
  formatMeasure,
  formatPlace,
  formatShort,
  type Measure,
  renderBarrierChart,
  type ShownCurve,
  withTemperedCurves,
} from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatDecomposition } from "./format-decomposition.ts";
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

/**
 * Shows barrier curves as a chart of the loss and a table of the numbers, with a temperature and without; then
 * the last one taken apart, if it was.
 */
export function formatBarriers(measured: readonly BarrierCurve[], terminal: Terminal): string {
  const curves = withTemperedCurves(measured);
  const { decomposition } = measured.at(-1) ?? {};
  const chart = renderBarrierChart(curves, {
    width: Math.min(terminal.columns, MAX_CHART_WIDTH),
    height: CHART_HEIGHT,
    charset: terminal.unicode ? "braille" : "ascii",
    color: terminal.color,
  });
  const parts = [chart, formatBarrierTable(curves)];
  if (decomposition !== undefined) parts.push(formatDecomposition(decomposition, terminal));
  return parts.join("\n\n");
}

/** What is shown of a curve: with temperatures, errors are those of the curve without. */
const measuresOf = ({ temperatures }: ShownCurve): readonly Measure[] =>
  temperatures === undefined ? MEASURES : ["loss"];

function formatBarrierTable(curves: readonly ShownCurve[]): string {
  const columns = curves.flatMap((curve) =>
    measuresOf(curve).map((measure) => ({
      title: curves.length === 1 ? measure : `${curve.label}: ${measure}`,
      align: "right" as const,
    })),
  );
  const row = (name: string, cell: (curve: ShownCurve, measure: Measure) => string): string[] => [
    name,
    ...curves.flatMap((curve) => measuresOf(curve).map((measure) => cell(curve, measure))),
  ];
  const rows = [
    row("at A", ({ result }, measure) => formatMeasure(endOf(result, 0)[measure], measure)),
    row("at B", ({ result }, measure) =>
      formatMeasure(endOf(result, result.points.length - 1)[measure], measure),
    ),
    ...DEFINITIONS.map(([key, name]) =>
      row(name, ({ result }, measure) => formatBarrier(result.barrier[measure][key], measure)),
    ),
    ...PERPLEXITIES.filter(([, index]) =>
      curves.some((curve) => perplexityAt(curve, index) !== undefined),
    ).map(([name, index]) =>
      row(name, (curve, measure) => (measure === "loss" ? formatPerplexity(perplexityAt(curve, index)) : "")),
    ),
    row("reached at t", ({ result }, measure) => formatPlace(result.barrier[measure].at)),
    ...(curves.some(({ temperatures }) => temperatures !== undefined)
      ? [row("temperature", formatRange)]
      : []),
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

/** Formats the ends between which the temperatures of a curve are. */
function formatRange({ temperatures = [] }: ShownCurve): string {
  if (temperatures.length === 0) return "";
  return [Math.min(...temperatures), Math.max(...temperatures)]
    .map((value) => formatShort(value))
    .join(" to ");
}

/** Places whose perplexity is shown, by their index from either end. */
const PERPLEXITIES: readonly (readonly [name: string, index: number])[] = [
  ["perplexity at A", 0],
  ["perplexity at B", -1],
];

function perplexityAt({ result }: BarrierCurve, index: number): number | undefined {
  return result.points.at(index)?.perplexity;
}

function formatPerplexity(perplexity: number | undefined): string {
  return perplexity === undefined ? "" : perplexity.toPrecision(4);
}

function formatEnd({ result }: BarrierCurve, measure: Measure, end: "low" | "high"): string {
  const range = result.interval?.[measure];
  return range === undefined ? "" : formatBarrier(range[end], measure);
}

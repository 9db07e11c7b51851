import {
  type BarrierCurve,
  type BarrierDecomposition,
  type BarrierInterval,
  type BarrierValues,
  carriedSentences,
  measuresErrors,
  perplexityRows,
  type TemperedCurve,
  withTemperedCurves,
} from "@isthmus/barrier";
import { at } from "@isthmus/core";
import {
  formatBarrier,
  formatCount,
  formatMeasure,
  formatNumber,
  formatPlace,
  formatShort,
  lossWords,
  type Measure,
} from "@isthmus/findings";
import { renderBarrierChart } from "@isthmus/report";
import { formatBar } from "./format-bar.ts";
import type { Screen } from "./format-chart.ts";
import { type Column, formatTable } from "./format-table.ts";

/** Number of cells of the longest bar. */
const BAR_WIDTH = 16;

/** Number of examples that are named, from the highest excess. */
const NAMED = 5;

const lossOf = (value: number) => formatBarrier(value, "loss");

const alignedRight = (title: string): Column => ({ title, align: "right" });

const MEASURES: readonly Measure[] = ["loss", "error"];

const DEFINITIONS: readonly (readonly [key: keyof BarrierValues, name: string])[] = [
  ["chord", "barrier above the chord"],
  ["meanOfEndpoints", "above the mean of the ends"],
  ["maxEndpoint", "above the higher end"],
  ["midpoint", "at the midpoint"],
];

/** Number of rows of the chart, without axis and legend. */
const CHART_HEIGHT = 12;

/** Number of columns beyond which a wider chart is only coarser to read. */
const MAX_CHART_WIDTH = 90;

/**
 * Formats barrier curves as a chart of the loss and a table of the numbers, with temperatures if there are
 * any; then the parts of the last barrier, if it was taken apart.
 */
export function formatBarriers(curves: readonly BarrierCurve[], terminal: Screen): string {
  const { decomposition } = curves.at(-1) ?? {};
  const chart = renderBarrierChart(withTemperedCurves(curves), {
    width: Math.min(terminal.columns, MAX_CHART_WIDTH),
    height: CHART_HEIGHT,
    charset: terminal.unicode ? "braille" : "ascii",
    color: terminal.color,
  });
  const parts = [chart, formatBarrierTable(curves)];
  if (decomposition !== undefined) parts.push(formatDecomposition(decomposition, terminal));
  return parts.join("\n\n");
}

function formatBarrierTable(curves: readonly BarrierCurve[]): string {
  const measures = curves.some(({ result }) => measuresErrors(result)) ? MEASURES : (["loss"] as const);
  const columns = curves.flatMap(({ label }) =>
    measures.map((measure) => ({
      title: curves.length === 1 ? measure : `${label}: ${measure}`,
      align: "right" as const,
    })),
  );
  const row = (name: string, cell: (curve: BarrierCurve, measure: Measure) => string): string[] => [
    name,
    ...curves.flatMap((curve) => measures.map((measure) => cell(curve, measure))),
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
      ...values.flatMap((value) => measures.map((measure) => perplexityCell(value, measure))),
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
  return formatTable([{ title: "" }, ...columns], [...rows, ...temperedRows(curves, row)]);
}

function endOf({ points }: BarrierCurve["result"], index: number): BarrierCurve["result"]["points"][number] {
  return at(points, index, "point of the curve");
}

/** Makes the rows of the losses with temperature; none if no curve has any. */
function temperedRows(
  curves: readonly BarrierCurve[],
  row: (name: string, cell: (curve: BarrierCurve, measure: Measure) => string) => string[],
): string[][] {
  if (curves.every(({ result }) => result.tempered === undefined)) return [];
  const ofLoss = (name: string, cell: (tempered: TemperedCurve) => string) =>
    row(name, ({ result: { tempered } }, measure) => (measure === "loss" && tempered ? cell(tempered) : ""));
  const endOf = ({ points }: TemperedCurve, index: number) =>
    formatMeasure(points.at(index)?.loss ?? Number.NaN, "loss");
  return [
    ofLoss("with temperature, at A", (tempered) => endOf(tempered, 0)),
    ofLoss("with temperature, at B", (tempered) => endOf(tempered, -1)),
    ofLoss("with temperature, barrier", ({ barrier }) => formatBarrier(barrier.chord, "loss")),
    ...(curves.some(({ result }) => result.tempered?.interval !== undefined)
      ? [ofLoss("with temperature, interval", ({ interval }) => formatInterval(interval))]
      : []),
    ofLoss("temperatures", ({ points }) => {
      const temperatures = points.map(({ temperature }) => temperature);
      return [Math.min(...temperatures), Math.max(...temperatures)]
        .map((value) => formatShort(value))
        .join(" to ");
    }),
  ];
}

const formatInterval = (interval: BarrierInterval | undefined): string =>
  interval === undefined
    ? ""
    : `${formatBarrier(interval.low, "loss")} to ${formatBarrier(interval.high, "loss")}`;

function perplexityCell(value: number | null, measure: Measure): string {
  return value === null || measure === "error" ? "" : formatNumber(value);
}

function formatEnd({ result }: BarrierCurve, measure: Measure, end: "low" | "high"): string {
  const range = result.interval?.[measure];
  return range === undefined ? "" : formatBarrier(range[end], measure);
}

/** Formats how much the parts of a network contribute to the excess half-way, and which examples carry it. */
function formatDecomposition(decomposition: BarrierDecomposition, terminal: Screen): string {
  const { excess, examples, tempered, byExample } = decomposition;
  const losses = tempered ? "with temperature" : "without temperature";
  const worst = byExample.worst
    .slice(0, NAMED)
    .map((example) => `${example.index} (${lossOf(example.excess)})`);
  return [
    `Half-way the loss ${losses} is ${lossWords(decomposition).amount(excess.loss)} above the mean of A and B, on ${formatCount(examples)} examples.`,
    "What one part adds averaged alone in A and in B, and put back alone from the average to A and to B:",
    formatParts(decomposition, terminal),
    "",
    ...carriedSentences(decomposition),
    ...(worst.length === 0 ? [] : [`Highest, by index: ${worst.join(", ")}.`]),
  ].join("\n");
}

function formatParts({ parts, excess }: BarrierDecomposition, { unicode }: Screen): string {
  const means = parts.map(({ averaged: { a, b } }) => (a.loss + b.loss) / 2);
  const full = Math.max(...means, excess.loss);
  const bar = (value: number) => formatBar(value, { full, width: BAR_WIDTH, unicode });
  const rows = parts.map(({ part, elements, averaged, putBack }, index) => [
    part,
    formatCount(elements),
    ...[putBack.a, putBack.b, averaged.a, averaged.b].map(({ loss }) => lossOf(loss)),
    lossOf(at(means, index, "part")),
    bar(at(means, index, "part")),
  ]);
  rows.push(["all at once", "", "", "", "", "", lossOf(excess.loss), bar(excess.loss)]);
  const columns = ["numbers", "back to A", "back to B", "averaged in A", "in B", "mean"].map(alignedRight);
  return formatTable([{ title: "part" }, ...columns, { title: "" }], rows);
}

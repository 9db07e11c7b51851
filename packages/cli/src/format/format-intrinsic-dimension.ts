import { at } from "@isthmus/core";
import { formatCount, formatMeasure, formatShort } from "@isthmus/findings";
import { renderChart } from "@isthmus/report";
import { type IntrinsicDimensionResult, meansByDimension, wordsOfUntrained } from "@isthmus/subspace";
import type { Terminal } from "../terminal/terminal.ts";
import { formatTable } from "./format-table.ts";

/** Columns beyond which a chart only gets coarser to read. */
const MAX_CHART_WIDTH = 90;

const percent = (accuracy: number): string => formatMeasure(accuracy, "error");

/** Shows an intrinsic dimension in words, as a chart of accuracies over dimensions, and as a table. */
export function formatIntrinsicDimension(result: IntrinsicDimensionResult, terminal: Terminal): string {
  return [formatWords(result), formatChart(result, terminal), formatAccuracies(result)].join("\n\n");
}

function formatWords(result: IntrinsicDimensionResult): string {
  const { network, parameters, data, dimension, crossing, interval, threshold, line, seeds } = result;
  const share = formatShort(100 * threshold);
  const reached =
    dimension === null || crossing === null
      ? `no dimension up to ${formatCount(at(result.points, result.points.length - 1, "dimension").dimension)} reaches ${share} %`
      : `d_${share} = ${formatCount(dimension)}, crossed at ${formatCount(Math.round(crossing))}`;
  const between =
    interval === undefined
      ? ""
      : ` (95 % interval ${formatCount(Math.round(interval.low))} to ${formatCount(Math.round(interval.high))}, ${seeds.length} seeds)`;
  return [
    `Intrinsic dimension of ${network}, ${formatCount(parameters)} parameters, on ${data}`,
    `${reached}${between}`,
    `line ${percent(line)}: ${share} % of the full accuracy, ${percent(line / threshold)}`,
    ...wordsOfUntrained(result),
  ].join("\n");
}

function formatChart(result: IntrinsicDimensionResult, terminal: Terminal): string {
  const means = meansByDimension(result);
  const logs = means.map(({ dimension }) => Math.log10(dimension));
  const ends = [Math.min(...logs), Math.max(...logs)];
  return renderChart(
    [
      {
        label: "accuracy, mean over seeds",
        points: means.map(({ accuracy }, i) => [logs[i] as number, accuracy] as const),
      },
      { label: "line", points: ends.map((x) => [x, result.line] as const) },
    ],
    {
      width: Math.min(terminal.columns, MAX_CHART_WIDTH),
      charset: terminal.unicode ? "braille" : "ascii",
      color: terminal.color,
      yLabel: "accuracy",
      xLabel: "dimension, on a logarithmic scale",
      formatX: (x) => formatCount(Math.round(10 ** x)),
    },
  );
}

function formatAccuracies(result: IntrinsicDimensionResult): string {
  const { seeds, points, baseline, line } = result;
  const right = "right" as const;
  const cellOf = (accuracy: number | undefined) => (accuracy === undefined ? "" : percent(accuracy));
  const rows = meansByDimension(result).map(({ dimension, accuracy }) => [
    formatCount(dimension),
    ...seeds.map((seed) =>
      cellOf(points.find((point) => point.seed === seed && point.dimension === dimension)?.accuracy),
    ),
    percent(accuracy),
    accuracy >= line ? "yes" : "no",
  ]);
  const full = [
    "all",
    ...seeds.map((seed) => cellOf(baseline.find((point) => point.seed === seed)?.accuracy)),
    percent(line / result.threshold),
    "",
  ];
  const starts = result.untrained?.start;
  const none = starts && [
    "none",
    ...seeds.map((seed) => cellOf(starts.find((point) => point.seed === seed)?.accuracy)),
    percent(starts.reduce((sum, { accuracy }) => sum + accuracy, 0) / starts.length),
    result.untrained.startReaches ? "yes" : "no",
  ];
  return formatTable(
    [
      { title: "dimension", align: right },
      ...seeds.map((seed) => ({ title: `seed ${seed}`, align: right })),
      { title: "mean", align: right },
      { title: "reaches the line" },
    ],
    [...(none ? [none] : []), ...rows, full],
  );
}

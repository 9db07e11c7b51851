import { UsageError } from "@isthmus/core";
import type { CurveResult, MeasuredPath, PathSummary } from "@isthmus/curve";
import type { Measure } from "../barrier-curve.ts";
import { dataWords, measureWords } from "../data-words.ts";
import type { Figure } from "../figure/figure.ts";
import { drawLines, hasMarks } from "../figure/line-figure.ts";
import { formatMeasure, formatNumber, formatPlace, formatShort } from "../format-value.ts";
import type { Table } from "../table/table.ts";
import { MEASURES } from "./barrier-tables.ts";
import { factsOf } from "./facts.ts";
import type { Report, Section, Tile } from "./report.ts";

/** Ratio of the worst losses from which it is worth words. */
const WORTH_TELLING = 1.5;

interface NamedPath {
  readonly label: string;
  readonly path: MeasuredPath;
}

/**
 * Says what a curve shows, beside the straight line.
 * @throws UsageError if one of them has fewer than two points
 */
export function describeCurve(result: CurveResult): Report {
  const paths = namedPaths(result);
  for (const { label, path } of paths) {
    if (path.points.length < 2) {
      throw new UsageError(
        `Cannot draw the ${label} as it needs at least 2 points: it has ${path.points.length}`,
      );
    }
  }
  return {
    subject: "a curve between two networks",
    summary: summarise(result),
    tiles: paths.map(describeTile),
    sections: [
      {
        name: "paths",
        title: "Along the paths",
        figures: [
          lineFigure(result, { measure: "loss", along: "t", size: "hero" }),
          lineFigure(result, { measure: "error", along: "t", size: "half" }),
          lineFigure(result, { measure: "loss", along: "length", size: "half" }),
        ],
        tables: [summaryTable(paths)],
      },
      { name: "points", title: "Every measured point", figures: [], tables: [pointsTable(paths)] },
      ...trainingSection(result),
    ],
    facts: factsOf(result, [
      {
        name: "Curve",
        value: `${shapeOf(result)} with ${result.bends} trained ${result.bends === 1 ? "bend" : "bends"}`,
      },
      {
        name: "Trained on",
        value: `${result.trainingData}, ${result.epochs.length} ${result.epochs.length === 1 ? "epoch" : "epochs"}`,
      },
    ]),
    data: result,
  };
}

const shapeOf = ({ curve }: CurveResult): string => (curve === "bezier" ? "Bezier curve" : "polygonal chain");

function namedPaths(result: CurveResult): NamedPath[] {
  return [
    { label: shapeOf(result), path: result.path },
    { label: "straight line", path: result.line },
  ];
}

function summarise(result: CurveResult): string {
  const [curve, line] = [result.path.loss, result.line.loss];
  const worst = `The worst loss on the ${shapeOf(result)} is ${formatNumber(curve.max)} nats, that on the straight line ${formatNumber(line.max)} nats`;
  const ratio = line.max / curve.max;
  const times = ratio >= WORTH_TELLING ? `: ${formatShort(ratio, 2)} times lower` : "";
  const longer = result.path.length / result.line.length;
  return `${worst}${times}. The curve is ${longer.toFixed(2)} times as long as the line.`;
}

function describeTile({ label, path }: NamedPath, style: number): Tile {
  return {
    name: `worst loss, ${label}`,
    value: formatNumber(path.loss.max),
    unit: "nats",
    more: [
      `at t = ${formatPlace(path.loss.at)}; mean along its length ${formatNumber(path.loss.lengthMean)}`,
      `worst error ${formatMeasure(path.error.max, "error")}`,
    ],
    style,
  };
}

function lineFigure(
  result: CurveResult,
  {
    measure,
    along,
    size,
  }: { readonly measure: Measure; readonly along: "t" | "length"; readonly size: Figure["size"] },
): Figure {
  const paths = namedPaths(result);
  const { name: named, axis, unit } = measureWords(measure, result.data);
  const where = along === "t" ? "along t" : "along the length";
  const words = paths.map(({ label, path }) => {
    const { min, max, at } = path[measure];
    return `${label} from ${formatMeasure(min, measure)} to ${formatMeasure(max, measure)}, highest at t = ${formatPlace(at)}`;
  });
  return {
    name: `${measure}-${along}`,
    title: `${named} ${where},`,
    caption:
      along === "t"
        ? `${unit}, from A (t = 0) to B (t = 1). ${marksWords(result)}`
        : `${unit}: places stand at their distance from A along the path, in units of distance between weights. ${marksWords(result)}`,
    words: `${named} ${where}. ${words.join("; ")}.`,
    table: "points",
    size,
    draw: drawLines({
      series: paths.map(({ label, path }) => ({
        label,
        points: path.points.map((point) => ({ x: point[along], y: point[measure] })),
      })),
      x:
        along === "t"
          ? { label: "Place t from A to B", domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1] }
          : { label: "Length from A (distance between weights)" },
      y: { label: axis, percent: measure === "error" },
    }),
  };
}

/** Says what marks and lines are, and what was measured. */
function marksWords({ path, line, data, examples, seed }: CurveResult): string {
  const places = [...new Set([path.points.length, line.points.length])].join(" and ");
  const shown = hasMarks(path.points.length)
    ? `Marks are measurements at ${places} places of each path, joined by straight lines,`
    : `Straight lines join measurements at ${places} places of each path,`;
  return `${shown} on ${dataWords(data, examples)}; the curve was trained with seed ${seed}.`;
}

const SUMMARIES: readonly (readonly [title: string, key: Exclude<keyof PathSummary, "at">])[] = [
  ["Lowest", "min"],
  ["Highest", "max"],
  ["Mean over t", "mean"],
  ["Mean over the length", "lengthMean"],
];

function summaryTable(paths: readonly NamedPath[]): Table {
  return {
    name: "summary",
    title: "Loss and error along the paths",
    caption: "Loss in nats, error in percent; lengths in units of distance between weights.",
    columns: [
      { title: "", kind: "text" },
      ...paths.flatMap(({ label: group }, style) => [
        { title: "Loss", kind: "loss" as const, group, style },
        { title: "Error", kind: "share" as const, group, style },
      ]),
    ],
    rows: [
      ...SUMMARIES.map(([title, key]) => ({
        cells: [title, ...paths.flatMap(({ path }) => MEASURES.map((measure) => path[measure][key]))],
      })),
      {
        cells: ["Highest at t", ...paths.flatMap(({ path }) => MEASURES.map((measure) => path[measure].at))],
        kind: "place",
      },
      { cells: ["Length", ...paths.flatMap(({ path }) => [path.length, null])], kind: "number" },
    ],
    fixed: true,
  };
}

function pointsTable(paths: readonly NamedPath[]): Table {
  return {
    name: "points",
    title: "Every measured point",
    caption: "Length from A in units of distance between weights, loss in nats, error in percent.",
    columns: [
      { title: "Path", kind: "text" },
      { title: "t", kind: "place" },
      { title: "Length", kind: "number" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
    ],
    rows: paths.flatMap(({ label, path }) =>
      path.points.map(({ t, length, loss, error }) => ({ cells: [label, t, length, loss, error] })),
    ),
  };
}

/** Describes how the bends were trained, if they were. */
function trainingSection({ epochs }: CurveResult): Section[] {
  if (epochs.length === 0) return [];
  return [
    {
      name: "training",
      title: "Training of the curve",
      figures: [],
      tables: [
        {
          name: "training",
          title: "Training of the curve",
          caption: "Mean loss, in nats, and accuracy of each epoch's batches, at random places of the curve.",
          columns: [
            { title: "Epoch", kind: "count" },
            { title: "Steps", kind: "count" },
            { title: "Loss", kind: "loss" },
            { title: "Accuracy", kind: "share" },
          ],
          rows: epochs.map(({ steps, loss, accuracy }, index) => ({
            cells: [index + 1, steps, loss, accuracy ?? null],
          })),
        },
      ],
    },
  ];
}

import { UsageError } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  formatMeasure,
  formatNumber,
  formatPlace,
  hasMarks,
  type LossWords,
  lossWords,
  MEASURES,
  type Measure,
  measureWords,
  type Table,
  type Tile,
} from "@isthmus/findings";
import type { LossFields } from "@isthmus/graph";
import type { MeasuredPath, PathSummary } from "../curve/curve-result.ts";

/** Measured path with a name. */
export interface NamedPath {
  /** Name of the path in the legend of the figures. */
  readonly label: string;
  /** Loss and error along the path. */
  readonly path: MeasuredPath;
}

/** Examples on which paths were measured, and the loss. */
interface MeasuredData extends LossFields {
  readonly data: string;
  readonly examples: number;
}

/** @throws UsageError if a path has fewer than two points */
export function assertPaths(paths: readonly NamedPath[]): void {
  for (const { label, path } of paths) {
    if (path.points.length >= 2) continue;
    throw new UsageError(
      `Cannot draw the ${label} as it needs at least 2 points: it has ${path.points.length}`,
    );
  }
}

/**
 * Makes the figures of paths between two networks: the loss along t, the error along t, and the loss along
 * the length.
 * @param origin - words for the making of the paths, for captions
 */
export function pathFigures(
  paths: readonly NamedPath[],
  measured: MeasuredData,
  origin: string,
): readonly Figure[] {
  const { data, examples } = measured;
  const losses = lossWords(measured);
  const marks = `${marksWords(paths)} on ${dataWords(data, examples)}; ${origin}.`;
  const figure = (measure: Measure, along: "t" | "length", size: Figure["size"]) =>
    lineFigure(paths, { measure, along, size, data, marks, losses });
  return [
    figure("loss", "t", "hero"),
    ...(losses.hasErrors ? [figure("error", "t", "half")] : []),
    figure("loss", "length", "half"),
  ];
}

/** Explains marks and lines. */
function marksWords(paths: readonly NamedPath[]): string {
  const counts = [...new Set(paths.map(({ path }) => path.points.length))];
  const places = counts.join(" and ");
  return counts.every(hasMarks)
    ? `Marks are measurements at ${places} places of each path, joined by straight lines,`
    : `Straight lines join measurements at ${places} places of each path,`;
}

interface PathFigureOptions {
  readonly measure: Measure;
  readonly along: "t" | "length";
  readonly size: Figure["size"];
  readonly data: string;
  readonly marks: string;
  readonly losses: LossWords;
}

function lineFigure(
  paths: readonly NamedPath[],
  { measure, along, size, data, marks, losses }: PathFigureOptions,
): Figure {
  const { name: named, axis, unit } = measureWords(measure, losses, data);
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
        ? `${unit}, from A (t = 0) to B (t = 1). ${marks}`
        : `${unit}: places stand at their distance from A along the path, in units of distance between weights. ${marks}`,
    words: `${named} ${where}. ${words.join("; ")}.`,
    table: "points",
    size,
    plot: {
      kind: "lines",
      series: paths.map(({ label, path }) => ({
        label,
        points: path.points.map((point) => ({ x: point[along], y: point[measure] })),
      })),
      x:
        along === "t"
          ? { label: "Place t from A to B", domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1] }
          : { label: "Length from A (distance between weights)" },
      y: { label: axis, percent: measure === "error" },
    },
  };
}

const SUMMARIES: readonly (readonly [title: string, key: Exclude<keyof PathSummary, "at">])[] = [
  ["Lowest", "min"],
  ["Highest", "max"],
  ["Mean over t", "mean"],
  ["Mean over the length", "lengthMean"],
];

/** Summarises paths in a table. */
export function pathsTable(paths: readonly NamedPath[], losses: LossWords): Table {
  return {
    name: "summary",
    title: "Loss and error along the paths",
    caption: `Loss ${losses.inUnits("percent")}; lengths in units of distance between weights.`,
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

/** Lists every measured place of paths. */
export function placesTable(paths: readonly NamedPath[], losses: LossWords): Table {
  return {
    name: "points",
    title: "Every measured point",
    caption: `Length from A in units of distance between weights, loss ${losses.inUnits("percent")}.`,
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

/** Makes a tile of each path with its worst loss. */
export function pathTiles(paths: readonly NamedPath[], { unit, hasErrors }: LossWords): Tile[] {
  return paths.map(({ label, path }, style) => ({
    name: `worst loss, ${label}`,
    value: formatNumber(path.loss.max),
    unit,
    more: [
      `at t = ${formatPlace(path.loss.at)}; mean along its length ${formatNumber(path.loss.lengthMean)}`,
      ...(hasErrors ? [`worst error ${formatMeasure(path.error.max, "error")}`] : []),
    ],
    style,
  }));
}

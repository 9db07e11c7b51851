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
  type Report,
  type Table,
  type Tile,
} from "@isthmus/findings";
import type { MeasuredPath, PathSummary, PathsResult } from "./path-result.ts";

/** Measured path with a name. */
export interface NamedPath {
  /** Name of the path in the legend of the figures. */
  readonly label: string;
  /** Loss and error along the path. */
  readonly path: MeasuredPath;
}

/** Words for a path that was made between two networks, and its own tables. */
export interface DescribedPath {
  /** Name of the path, as opposed to the straight line. */
  readonly label: string;
  /** Words that say how the path was made, such as `the curve was trained with seed 0`, for captions. */
  readonly origin: string;
  /** Tables beside the summary. */
  readonly tables: readonly Table[];
}

/**
 * Describes a path between two networks, beside the straight line and other paths: tiles, figures along the
 * paths, and a table of every place.
 * @throws UsageError if one of the paths has fewer than two points
 */
export function describePaths(
  result: PathsResult,
  { label, origin, tables }: DescribedPath,
): Pick<Report, "sections"> & { readonly tiles: readonly Tile[] } {
  const paths: readonly NamedPath[] = [
    { label, path: result.path },
    { label: "straight line", path: result.line },
    ...result.beside.map(({ name, path }) => ({ label: name, path })),
  ];
  assertPaths(paths);
  const losses = lossWords(result);
  return {
    tiles: pathTiles(paths, losses),
    sections: [
      {
        name: "paths",
        title: "Along the paths",
        figures: pathFigures(paths, result, origin),
        tables: [pathsTable(paths, losses), ...tables],
      },
      { name: "points", title: "Every measured point", figures: [], tables: [placesTable(paths, losses)] },
    ],
  };
}

/** Returns the worst measured loss of a path from one place to another, both included. */
export function worstLossBetween({ points }: MeasuredPath, from: number, to: number): number {
  // The tolerance is needed as places and ends of lines are rounded differently.
  const near = points.filter(({ t }) => t > from - 1e-9 && t < to + 1e-9);
  return Math.max(...near.map(({ loss }) => loss));
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

/** Makes the figures of paths: the loss along t, the error along t, and the loss along the length. */
function pathFigures(paths: readonly NamedPath[], measured: PathsResult, origin: string): readonly Figure[] {
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
  const { words, plot } = pathLines(paths, { measure, along, axis });
  return {
    name: `${measure}-${along}`,
    title: `${named} ${where},`,
    caption:
      along === "t"
        ? `${unit}, from A (t = 0) to B (t = 1). ${marks}`
        : `${unit}: places stand at their distance from A along the path, in units of distance between weights. ${marks}`,
    words: `${named} ${where}. ${words}.`,
    table: "points",
    size,
    plot,
  };
}

/** A measure to draw along paths. */
interface DrawnMeasure {
  readonly measure: Measure;
  readonly along: "t" | "length";
  /** Words for the axis of the measure. */
  readonly axis: string;
}

/** Draws a measure along paths, and says its range on each. */
export function pathLines(
  paths: readonly NamedPath[],
  { measure, along, axis }: DrawnMeasure,
): { readonly words: string; readonly plot: Figure["plot"] } {
  const words = paths.map(({ label, path }) => {
    const { min, max, at } = path[measure];
    return `${label} from ${formatMeasure(min, measure)} to ${formatMeasure(max, measure)}, highest at t = ${formatPlace(at)}`;
  });
  return {
    words: words.join("; "),
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
function pathsTable(paths: readonly NamedPath[], losses: LossWords): Table {
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
function pathTiles(paths: readonly NamedPath[], { unit, hasErrors }: LossWords): Tile[] {
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

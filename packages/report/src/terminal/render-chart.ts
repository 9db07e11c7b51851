import { at, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import { formatNumber, formatShort } from "@isthmus/findings";
import { ASCII_LINE, Canvas, type Charset, markOf } from "./canvas.ts";
import { type Frame, frameOf, isPlace, yTicks } from "./chart-frame.ts";

/** One line of a chart. */
export interface ChartSeries {
  /** Label of the line in the legend. */
  readonly label: string;
  /** `[x, y]` pairs, ascending in x; at least one. */
  readonly points: readonly (readonly [number, number])[];
  /** Whether the points are joined by straight lines. @defaultValue true */
  readonly joined?: boolean;
}

/** Options of {@link renderChart}. */
export interface ChartOptions {
  /** Width of the whole chart in columns, labels included; at least 30. @defaultValue 80 */
  readonly width?: number;
  /** Height of the plotted area in rows; at least 4. @defaultValue 12 */
  readonly height?: number;
  /** Character set; `braille` needs a Unicode terminal. @defaultValue "braille" */
  readonly charset?: Charset;
  /** Whether to colour the series with ANSI escapes. @defaultValue false */
  readonly color?: boolean;
  /** Label above the vertical axis. @defaultValue "" */
  readonly yLabel?: string;
  /** Label below the horizontal axis. @defaultValue "" */
  readonly xLabel?: string;
  /** Formats values beside the vertical axis. @defaultValue four significant digits */
  readonly formatY?: (value: number) => string;
  /**
   * Formats the ends of the horizontal axis.
   * @defaultValue four significant digits, without trailing zeros
   */
  readonly formatX?: (value: number) => string;
}

type ResolvedOptions = Required<ChartOptions>;

/** Defaults of {@link renderChart}. */
export const CHART_DEFAULTS: ResolvedOptions = {
  width: 80,
  height: 12,
  charset: "braille",
  color: false,
  yLabel: "",
  xLabel: "",
  formatY: formatNumber,
  formatX: (value) => formatShort(value, 4),
};

/** Samples of lines of series in the legend in braille: the first is solid, the later ones are dashed. */
const BRAILLE_SAMPLES = ["━━━", "╺━╸", "╍╍╍", "┅┅┅", "┉┉┉", "···"] as const;

/** Minimum average number of columns per point for marks on a line: denser marks would hide the line. */
const COLUMNS_OF_MARK = 3;

/**
 * Number of columns below which lines are not dashed, as dashes would hide their shape. ASCII charts need
 * twice as many; their series differ by letters.
 */
const MIN_DASHED_COLUMNS = 60;

/** Area in which series are drawn. */
interface Plotted {
  readonly frame: Frame;
  /** Number of characters across. */
  readonly columns: number;
}

/** ANSI foreground colours close to the colours of figures: yellow, cyan, green, magenta, blue, grey. */
const ANSI_COLORS = [33, 36, 32, 35, 34, 90] as const;
const LINES = {
  braille: { side: "┤", plain: "│", corner: "└", floor: "─" },
  ascii: { side: "|", plain: "|", corner: "+", floor: "-" },
} as const;

/**
 * Draws lines as text for a terminal: a few rows of characters, values on the left, a legend below.
 *
 * Points are joined by straight lines, and marked if there is enough space; if all points have the same x,
 * they are drawn as marks in the middle. Series differ by colour, and by dashes in braille or by letters in
 * ASCII, so that a chart can be read without colour. Lines have no trailing spaces and are at most `width`
 * wide.
 *
 * @throws UsageError if there is nothing to draw or a coordinate is not finite
 * @throws OutOfRangeError if the chart is smaller than 30 columns or 4 rows
 */
export function renderChart(series: readonly ChartSeries[], options: ChartOptions = {}): string {
  const resolved = resolveOptions("draw a chart", CHART_DEFAULTS, options);
  assertChart(series, resolved);
  const intervals = resolved.height >= 9 ? 4 : 2;
  const frame = frameOf(
    series.flatMap(({ points }) => points),
    intervals,
  );
  const ticks = yTicks(frame, intervals).map(resolved.formatY);
  const gutter = Math.max(...ticks.map((tick) => tick.length));
  const columns = resolved.width - gutter - 2;
  const canvas = new Canvas(columns, resolved.height, resolved.charset);
  series.forEach((line, index) => void plotSeries(canvas, line, index, { frame, columns }));
  return [
    ...(resolved.yLabel === "" ? [] : [clip(resolved.yLabel, resolved.width)]),
    ...plotRows(canvas, ticks, gutter, resolved),
    ...axisRows(frame, gutter, columns, resolved),
    ...legendRows(series, { gutter, columns, frame }, resolved),
  ]
    .map((line) => line.trimEnd())
    .join("\n");
}

function assertChart(series: readonly ChartSeries[], { width, height }: ResolvedOptions): void {
  const points = series.flatMap((line) => line.points);
  if (points.length === 0) throw new UsageError("Cannot draw a chart as at least one point is needed: got 0");
  const odd = points.flat().find((value) => !Number.isFinite(value));
  if (odd !== undefined) {
    throw new UsageError(`Cannot draw a chart as every coordinate must be finite: got ${odd}`);
  }
  if (!(width >= 30 && height >= 4)) {
    throw new OutOfRangeError(
      `Cannot draw a chart as it needs at least 30 columns and 4 rows: got ${width} and ${height}`,
    );
  }
}

/** Checks whether the points of a series are marked; points that are not joined always are. */
function isMarked({ points, joined = true }: ChartSeries, columns: number): boolean {
  return !joined || points.length * COLUMNS_OF_MARK <= columns;
}

/** Draws the line of a series, and its marks. */
function plotSeries(canvas: Canvas, line: ChartSeries, series: number, { frame, columns }: Plotted): void {
  if (line.joined !== false && !isPlace(frame)) plotLine(canvas, line, series, frame);
  if (!(isPlace(frame) || isMarked(line, columns))) return;
  for (const [x, y] of line.points) {
    const share = isPlace(frame) ? 0.5 : (x - frame.x[0]) / (frame.x[1] - frame.x[0]);
    canvas.mark(Math.round(share * (canvas.width - 1)), rowOf(canvas, y, frame), series);
  }
}

/** Draws a line dot column by dot column, so that even a steep line has no gaps. */
function plotLine(canvas: Canvas, { points }: ChartSeries, series: number, frame: Frame): void {
  const dashed = canvas.width >= 2 * MIN_DASHED_COLUMNS;
  let previous: number | undefined;
  for (let column = 0; column < canvas.width; column++) {
    const x = frame.x[0] + ((frame.x[1] - frame.x[0]) * column) / Math.max(1, canvas.width - 1);
    const value = interpolate(points, x);
    if (value === undefined) continue;
    const row = rowOf(canvas, value, frame);
    if (!dashed || !isGap(series, column)) {
      const from = previous === undefined || previous === row ? row : previous + Math.sign(row - previous);
      for (let y = Math.min(from, row); y <= Math.max(from, row); y++) canvas.set(column, y, series);
    }
    previous = row;
  }
}

/** Finds the row of dots, from the top, of a value. */
function rowOf(canvas: Canvas, value: number, frame: Frame): number {
  const share = (value - frame.y[0]) / (frame.y[1] - frame.y[0]);
  return Math.round((1 - share) * (canvas.height - 1));
}

/**
 * Checks whether a column lies in a gap between dashes; series after the first are dashed, later ones more
 * finely.
 */
function isGap(series: number, column: number): boolean {
  if (series === 0) return false;
  const dash = Math.max(2, 8 - 2 * series);
  return column % (dash + 2) >= dash;
}

/** Returns the value of a line at `x`; undefined outside of its points. */
function interpolate(points: ChartSeries["points"], x: number): number | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || x < first[0] || x > last[0]) return undefined;
  const after = points.findIndex(([px]) => px >= x);
  const [left, right] = [at(points, Math.max(0, after - 1), "point"), at(points, after, "point")];
  if (right[0] === left[0]) return right[1];
  return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0]);
}

function plotRows(
  canvas: Canvas,
  ticks: readonly string[],
  gutter: number,
  options: ResolvedOptions,
): string[] {
  const { height, charset } = options;
  const rows = new Map(
    ticks.map((tick, index) => [Math.round((index * (height - 1)) / (ticks.length - 1)), tick]),
  );
  return Array.from({ length: height }, (_, index) => {
    const tick = rows.get(index);
    const side = tick === undefined ? LINES[charset].plain : LINES[charset].side;
    return `${(tick ?? "").padStart(gutter)} ${side}${canvas.row(index, (text, series) => paint(text, series, options))}`;
  });
}

function axisRows(
  frame: Frame,
  gutter: number,
  columns: number,
  { charset, xLabel, formatX }: ResolvedOptions,
): string[] {
  const { corner, floor } = LINES[charset];
  const place = formatX(frame.x[0]);
  const [left = "", right = ""] = isPlace(frame) ? ["", ""] : frame.x.map(formatX);
  const room = columns - left.length - right.length;
  const words = isPlace(frame) ? (xLabel === "" ? place : `${xLabel}: ${place}`) : xLabel;
  const label = clip(words, Math.max(0, room - 2));
  const before = Math.max(1, Math.floor((room - label.length) / 2));
  const indent = " ".repeat(gutter + 2);
  const middle = `${" ".repeat(before)}${label}`.padEnd(room);
  return [
    `${" ".repeat(gutter)} ${corner}${floor.repeat(columns)}`,
    `${indent}${left}${room >= 2 ? middle + right : ""}`,
  ];
}

function legendRows(
  series: readonly ChartSeries[],
  { gutter, columns, frame }: Plotted & { readonly gutter: number },
  options: ResolvedOptions,
): string[] {
  const indent = " ".repeat(gutter + 2);
  return series.map((line, index) => {
    const marked = isMarked(line, columns);
    const joined = line.joined !== false && !isPlace(frame);
    const sample = paint(sampleOf(index, options.charset, { marked, joined }), index, options);
    return `${indent}${sample} ${clip(line.label, options.width - gutter - 7)}`;
  });
}

/** Returns three characters that show the line and the marks of a series. */
function sampleOf(
  series: number,
  charset: Charset,
  { marked, joined }: { readonly marked: boolean; readonly joined: boolean },
): string {
  const mark = markOf(series, charset);
  if (!joined) return ` ${mark} `;
  if (charset === "ascii") return marked ? `${ASCII_LINE}${mark}${ASCII_LINE}` : mark.repeat(3);
  const line = BRAILLE_SAMPLES[series % BRAILLE_SAMPLES.length] ?? BRAILLE_SAMPLES[0];
  return marked ? `${line[0]}${mark}${line[2]}` : line;
}

function paint(text: string, series: number, { color }: ResolvedOptions): string {
  if (!color) return text;
  return `\u001b[${ANSI_COLORS[series % ANSI_COLORS.length]}m${text}\u001b[39m`;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}~`;
}

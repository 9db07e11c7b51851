import { resolveOptions } from "@isthmus/core";
import { formatNumber, formatShort } from "../format-value.ts";
import { ASCII_MARKS, Canvas, type Charset } from "./canvas.ts";

/** One line of a chart. */
export interface ChartSeries {
  readonly label: string;
  /** `[x, y]` pairs, ascending in x; at least one. */
  readonly points: readonly (readonly [number, number])[];
}

/** Options of {@link renderChart}. */
export interface ChartOptions {
  /** Columns of the whole chart, labels included; at least 30. @defaultValue 80 */
  readonly width: number;
  /** Rows of the plotted area; at least 4. @defaultValue 12 */
  readonly height: number;
  /** `braille` needs a Unicode terminal. @defaultValue "braille" */
  readonly charset: Charset;
  /** Colour the series with ANSI escapes. @defaultValue false */
  readonly color: boolean;
  /** Words above the vertical axis. @defaultValue "" */
  readonly yLabel: string;
  /** Words below the horizontal axis. @defaultValue "" */
  readonly xLabel: string;
  /** How values beside the vertical axis are written. @defaultValue four significant digits */
  readonly formatY: (value: number) => string;
  /** How the ends of the horizontal axis are written. @defaultValue four significant digits, without needless zeros */
  readonly formatX: (value: number) => string;
}

/** Defaults of {@link renderChart}. */
export const CHART_DEFAULTS: Readonly<ChartOptions> = {
  width: 80,
  height: 12,
  charset: "braille",
  color: false,
  yLabel: "",
  xLabel: "",
  formatY: formatNumber,
  formatX: (value) => formatShort(value, 4),
};

/** Steps between ticks, in powers of ten; the last two cover any range that the first ones just miss. */
const ROUND_STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 20] as const;

/** What the legend shows of each series in braille: the first is solid, the later ones are dashed. */
const BRAILLE_SAMPLES = ["━━━", "╺━╸", "╍╍╍", "┅┅┅", "┉┉┉", "···"] as const;

/** Columns below which dashes would hide the shape; ASCII charts, with letters, seldom reach it. */
const MIN_DASHED_COLUMNS = 60;

interface Frame {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** ANSI foreground colours close to those of the figures: yellow, cyan, green, magenta, blue, grey. */
const ANSI_COLORS = [33, 36, 32, 35, 34, 90] as const;
const LINES = {
  braille: { side: "┤", plain: "│", corner: "└", floor: "─" },
  ascii: { side: "|", plain: "|", corner: "+", floor: "-" },
} as const;

/**
 * Draws lines as text for a terminal: a few rows of characters, values on the left, a legend below.
 *
 * Series are told apart by colour, and by dashes in braille or by letters in ASCII, so that a chart can be
 * read without colour. Every line ends without spaces and none is wider than `width`.
 *
 * @throws TypeError if there is nothing to draw or a coordinate is not finite
 * @throws RangeError if the chart is smaller than 30 columns or 4 rows
 */
export function renderChart(series: readonly ChartSeries[], options: Partial<ChartOptions> = {}): string {
  const resolved = resolveOptions("draw a chart", CHART_DEFAULTS, options);
  assertChart(series, resolved);
  const intervals = resolved.height >= 9 ? 4 : 2;
  const frame = frameOf(series, intervals);
  const ticks = yTicks(frame, intervals).map(resolved.formatY);
  const gutter = Math.max(...ticks.map((tick) => tick.length));
  const columns = resolved.width - gutter - 2;
  const canvas = new Canvas(columns, resolved.height, resolved.charset);
  series.forEach((line, index) => void plotLine(canvas, line, index, frame));
  return [
    ...(resolved.yLabel === "" ? [] : [clip(resolved.yLabel, resolved.width)]),
    ...plotRows(canvas, ticks, gutter, resolved),
    ...axisRows(frame, gutter, columns, resolved),
    ...legendRows(series, gutter, resolved),
  ]
    .map((line) => line.trimEnd())
    .join("\n");
}

function assertChart(series: readonly ChartSeries[], { width, height }: ChartOptions): void {
  const points = series.flatMap((line) => line.points);
  if (points.length === 0) throw new TypeError("Cannot draw a chart as at least one point is needed: got 0");
  const odd = points.flat().find((value) => !Number.isFinite(value));
  if (odd !== undefined) {
    throw new TypeError(`Cannot draw a chart as every coordinate must be finite: got ${odd}`);
  }
  if (!(width >= 30 && height >= 4)) {
    throw new RangeError(
      `Cannot draw a chart as it needs at least 30 columns and 4 rows: got ${width} and ${height}`,
    );
  }
}

/** Zero belongs to the picture unless all values lie far above it; the ends are round numbers. */
function frameOf(series: readonly ChartSeries[], intervals: number): Frame {
  const points = series.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const high = Math.max(...ys);
  const low = Math.min(...ys);
  const bottom = low >= 0 && low < 2 * (high - low) ? 0 : low;
  return { x: [Math.min(...xs), Math.max(...xs)], y: roundOut(bottom, high, intervals) };
}

/** The tightest range around `[low, high]` that is divided into `intervals` by round numbers. */
function roundOut(low: number, high: number, intervals: number): [number, number] {
  const extent = high - low || Math.abs(high) || 1;
  const decade = 10 ** Math.floor(Math.log10(extent / intervals));
  for (const factor of ROUND_STEPS) {
    const step = factor * decade;
    const begin = Math.floor(low / step + 1e-9) * step;
    if (begin + intervals * step >= high - 1e-9 * extent) return [begin, begin + intervals * step];
  }
  return [low, low + extent];
}

/** Values beside the vertical axis, from the top. */
function yTicks({ y: [low, high] }: Frame, intervals: number): number[] {
  return Array.from({ length: intervals + 1 }, (_, index) => high - ((high - low) * index) / intervals);
}

/** Draws a line dot column by dot column, so that it has no gaps however steep it is. */
function plotLine(canvas: Canvas, { points }: ChartSeries, series: number, frame: Frame): void {
  const dashed = canvas.width >= 2 * MIN_DASHED_COLUMNS;
  let previous: number | undefined;
  for (let column = 0; column < canvas.width; column++) {
    const x = frame.x[0] + ((frame.x[1] - frame.x[0]) * column) / Math.max(1, canvas.width - 1);
    const value = interpolate(points, x);
    if (value === undefined) continue;
    const share = (value - frame.y[0]) / (frame.y[1] - frame.y[0]);
    const row = Math.round((1 - share) * (canvas.height - 1));
    if (!dashed || !isGap(series, column)) {
      const from = previous === undefined || previous === row ? row : previous + Math.sign(row - previous);
      for (let y = Math.min(from, row); y <= Math.max(from, row); y++) canvas.set(column, y, series);
    }
    previous = row;
  }
}

/** Series after the first are dashed, more finely the later they come. */
function isGap(series: number, column: number): boolean {
  if (series === 0) return false;
  const dash = Math.max(2, 8 - 2 * series);
  return column % (dash + 2) >= dash;
}

function interpolate(points: ChartSeries["points"], x: number): number | undefined {
  const after = points.findIndex(([px]) => px >= x);
  const right = points[after === -1 ? points.length - 1 : after];
  const left = points[Math.max(0, (after === -1 ? points.length : after) - 1)];
  if (!left || !right || x < (points[0]?.[0] ?? 0) || x > (points.at(-1)?.[0] ?? 0)) return undefined;
  if (right[0] === left[0]) return right[1];
  return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0]);
}

function plotRows(canvas: Canvas, ticks: readonly string[], gutter: number, options: ChartOptions): string[] {
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
  { charset, xLabel, formatX }: ChartOptions,
): string[] {
  const { corner, floor } = LINES[charset];
  const [left = "", right = ""] = frame.x.map(formatX);
  const room = columns - left.length - right.length;
  const label = clip(xLabel, Math.max(0, room - 2));
  const before = Math.max(1, Math.floor((room - label.length) / 2));
  const indent = " ".repeat(gutter + 2);
  const middle = `${" ".repeat(before)}${label}`.padEnd(room);
  return [
    `${" ".repeat(gutter)} ${corner}${floor.repeat(columns)}`,
    `${indent}${left}${room >= 2 ? middle + right : ""}`,
  ];
}

function legendRows(series: readonly ChartSeries[], gutter: number, options: ChartOptions): string[] {
  const indent = " ".repeat(gutter + 2);
  return series.map(({ label }, index) => {
    const sample = paint(sampleOf(index, options.charset), index, options);
    return `${indent}${sample} ${clip(label, options.width - gutter - 7)}`;
  });
}

function sampleOf(series: number, charset: Charset): string {
  if (charset === "ascii") return (ASCII_MARKS[series % ASCII_MARKS.length] ?? "*").repeat(3);
  return BRAILLE_SAMPLES[series % BRAILLE_SAMPLES.length] ?? "━━━";
}

function paint(text: string, series: number, { color }: ChartOptions): string {
  if (!color) return text;
  return `\u001b[${ANSI_COLORS[series % ANSI_COLORS.length]}m${text}\u001b[39m`;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}~`;
}

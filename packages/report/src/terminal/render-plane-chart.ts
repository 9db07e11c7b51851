import type { PlaneResult } from "@isthmus/barrier";
import { at, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import { formatMeasure, type Measure } from "@isthmus/findings";
import type { Charset } from "./canvas.ts";

/** Options of {@link renderPlaneChart}. */
export interface PlaneChartOptions {
  /** Width of the whole chart in columns, at least 30. @defaultValue 80 */
  readonly width?: number;
  /**
   * Maximum height of the map in rows, at least 4; the map has at least half as many rows. @defaultValue 24
   */
  readonly height?: number;
  /**
   * Character set; `braille` needs a Unicode terminal, and shades the map by blocks. @defaultValue "braille"
   */
  readonly charset?: Charset;
  /** Measure to draw. @defaultValue "loss" */
  readonly measure?: Measure;
}

type ResolvedOptions = Required<PlaneChartOptions>;

/** Defaults of {@link renderPlaneChart}. */
const PLANE_CHART_DEFAULTS: ResolvedOptions = {
  width: 80,
  height: 24,
  charset: "braille",
  measure: "loss",
};

/**
 * Characters for bands from the lowest to the highest, for positions without a finite value, and for paths.
 */
const SHADES = {
  braille: { bands: [" ", "░", "▒", "▓", "█"], none: "?", path: "•" },
  ascii: { bands: [" ", ".", ":", "+", "#"], none: "?", path: "o" },
} as const satisfies Record<Charset, { bands: readonly string[]; none: string; path: string }>;

/** Approximate ratio of the height of a character to its width. */
const ASPECT = 2;

/**
 * Draws a plane as text for a terminal: bands of loss or error by shades, higher ones darker, networks as
 * letters, paths as dots, and below a key of shades and letters.
 *
 * Bands hold equal shares of the measured places, so that basins are visible even if other values are very
 * high. Lines have no trailing spaces and are at most `width` wide.
 * @throws OutOfRangeError if the chart is smaller than 30 columns or 4 rows
 * @throws UsageError if no position has a finite value
 */
export function renderPlaneChart(result: PlaneResult, options: PlaneChartOptions = {}): string {
  const resolved = resolveOptions("draw a plane", PLANE_CHART_DEFAULTS, options);
  const { width, height, charset, measure } = resolved;
  if (!(width >= 30 && height >= 4)) {
    throw new OutOfRangeError(
      `Cannot draw a plane as it needs at least 30 columns and 4 rows: got ${width} and ${height}`,
    );
  }
  const limits = limitsOf(result[measure], SHADES[charset].bands.length);
  const map = createMap(result, resolved);
  shade(map, result, { limits, measure, charset });
  for (const { points } of result.paths) {
    for (const [x, y] of points) map.mark(x, y, SHADES[charset].path);
  }
  result.models.forEach(({ x, y }, k) => {
    map.mark(x, y, letterOf(k));
  });
  return [...map.rows(), "", ...legend(result, limits, resolved)]
    .map((line) => line.slice(0, width).trimEnd())
    .join("\n");
}

const letterOf = (k: number): string => String.fromCharCode(65 + (k % 26));

/** Finds the upper limits of all bands but the last, by equal shares of the finite values. */
function limitsOf(values: readonly (readonly number[])[], bands: number): number[] {
  const sorted = values
    .flat()
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (sorted.length === 0) {
    throw new UsageError("Cannot draw a plane as at least one place must have a finite value: none has");
  }
  return Array.from({ length: bands - 1 }, (_, k) => {
    return at(sorted, Math.floor(((k + 1) * sorted.length) / bands), "value");
  });
}

/** Characters of a plane, each of which can be set by its position. */
interface PlaneMap {
  readonly columns: number;
  readonly lines: number;
  /** Returns the coordinates of the middle of a character. */
  placeOf(column: number, line: number): readonly [x: number, y: number];
  /** Sets the character at a position; positions outside the map are ignored. */
  mark(x: number, y: number, character: string): void;
  set(column: number, line: number, character: string): void;
  rows(): string[];
}

function createMap({ xs, ys }: PlaneResult, { width, height }: ResolvedOptions): PlaneMap {
  const [left = 0, right = 1, bottom = 0, top = 1] = [xs[0], xs.at(-1), ys[0], ys.at(-1)];
  const perLine = Math.max((top - bottom) / height, (ASPECT * (right - left)) / width);
  const lines = clamp((top - bottom) / perLine, Math.ceil(height / 2), height);
  const columns = clamp((ASPECT * (right - left)) / perLine, Math.ceil(width / 2), width);
  const cells = Array.from({ length: lines }, () => Array.from({ length: columns }, () => " "));
  const set = (column: number, line: number, character: string) => {
    const row = cells[line];
    if (row !== undefined && column >= 0 && column < columns) row[column] = character;
  };
  return {
    columns,
    lines,
    placeOf: (column, line) => [
      left + ((column + 0.5) / columns) * (right - left),
      top - ((line + 0.5) / lines) * (top - bottom),
    ],
    set,
    mark(x, y, character) {
      const column = Math.min(columns - 1, Math.floor(((x - left) / (right - left)) * columns));
      const line = Math.min(lines - 1, Math.floor(((top - y) / (top - bottom)) * lines));
      set(column, line, character);
    },
    rows: () => cells.map((row) => row.join("")),
  };
}

const clamp = (value: number, least: number, most: number): number =>
  Math.min(Math.max(Math.round(value), least), most);

/** Shades every character by the nearest measured position. */
function shade(
  map: PlaneMap,
  result: PlaneResult,
  {
    limits,
    measure,
    charset,
  }: { readonly limits: readonly number[] } & Pick<ResolvedOptions, "measure" | "charset">,
): void {
  const { bands, none } = SHADES[charset];
  for (let line = 0; line < map.lines; line++) {
    for (let column = 0; column < map.columns; column++) {
      const [x, y] = map.placeOf(column, line);
      const value = result[measure][nearest(result.ys, y)]?.[nearest(result.xs, x)] ?? Number.NaN;
      const band = limits.filter((limit) => value >= limit).length;
      map.set(column, line, Number.isFinite(value) ? (bands[band] ?? none) : none);
    }
  }
}

/** Returns the index of the nearest of evenly spaced values. */
function nearest(values: readonly number[], value: number): number {
  const [first = 0, last = 0] = [values[0], values.at(-1)];
  const at = Math.round(((value - first) / (last - first)) * (values.length - 1));
  return Math.min(Math.max(at, 0), values.length - 1);
}

function legend(
  { models, paths, loss, error }: PlaneResult,
  limits: readonly number[],
  { charset, measure }: ResolvedOptions,
): string[] {
  const { bands, none, path } = SHADES[charset];
  const finite = (measure === "loss" ? loss : error).flat().filter(Number.isFinite);
  const edges = [Math.min(...finite), ...limits, Math.max(...finite)];
  const format = (value: number) => formatMeasure(value, measure);
  const missing = (measure === "loss" ? loss : error).flat().length - finite.length;
  return [
    `${measure}:`,
    ...bands.map((band, k) => `  [${band}] ${format(at(edges, k))} to ${format(at(edges, k + 1))}`),
    ...(missing === 0 ? [] : [`  [${none}] no finite value`]),
    ...paths.map(({ label }) => `  ${path}   ${label}`),
    ...models.map(({ label, [measure]: value }, k) => `  ${letterOf(k)}   ${label}: ${format(value)}`),
  ];
}

import { at, UsageError } from "@isthmus/core";
import { type Axis, type Figure, formatNumber, type Plot } from "@isthmus/findings";
import type { StudyFigure, StudyResult, StudyTable, StudyValue } from "../study-result.ts";
import { studyColumnTitle } from "./study-column-title.ts";
import { studyHeat } from "./study-heat.ts";
import { studyCaption } from "./study-words.ts";

/** Position of a row of a table in a figure. */
interface Place {
  /** Index of the row. */
  readonly row: number;
  readonly x: string | number;
  readonly y: number;
  /** Ends of the interval around `y`; missing if there is none, or if its length is zero. */
  readonly low?: number;
  readonly high?: number;
  readonly series: string;
}

/** Positions and lines that a figure of a study draws. */
interface Drawn {
  readonly places: readonly Place[];
  /** Names of the lines. */
  readonly names: readonly string[];
  /** Whether a line has several values at one place: it has no shape then. */
  readonly repeated: boolean;
}

/**
 * Draws the columns of a table that a figure of a study names. Rows without a number to draw are left out,
 * and the caption says so; the caption also says how many results the numbers are made of. Returns undefined
 * if no row has a number.
 * @throws UsageError if a column is missing
 */
export function studyFigure(
  figure: StudyFigure,
  { table, study }: { readonly table: StudyTable; readonly study: StudyResult },
  name: string,
): Figure | undefined {
  assertColumns(figure, table);
  if (figure.mark === "heat") return studyHeat(figure, { table, study }, name);
  const places = table.rows.flatMap((_, index) => placeOf(figure, table, index));
  if (places.length === 0) return undefined;
  const names = [...new Set(places.map(({ series }) => series))];
  const drawn = { places, names, repeated: hasRepeated(places) };
  const words = names.map((series) => {
    const line = places.filter((place) => place.series === series);
    return `${series === "" ? "" : `${series}: `}${line.map(({ x, y }) => `${x} ${formatNumber(y)}`).join(", ")}`;
  });
  return {
    name,
    title: `${figure.title}.`,
    caption: captionOf(figure, { table, study }, drawn),
    words: `${figure.title}: ${studyColumnTitle(table, figure.y)} by ${studyColumnTitle(table, figure.x)}. ${words.join("; ")}.`,
    table: table.name,
    size: "hero",
    plot: plotOf(figure, table, drawn),
  };
}

function captionOf(
  figure: StudyFigure,
  of: { readonly table: StudyTable; readonly study: StudyResult },
  { places, repeated }: Drawn,
): string {
  const missing = of.table.rows.length - places.length;
  const bars = figure.mark === "bar" && !repeated;
  return [
    figure.caption,
    studyCaption(figure, of, {
      rows: places.map(({ row }) => row),
      bounded: places.some(({ low }) => low !== undefined),
      mark: bars ? "bar" : "mark",
      interval: figure.mark === "line" && !repeated ? "band" : "thin line",
    }),
    repeated ? "Some places have several values; nothing joins them." : "",
    missing === 0 ? "" : `${missing} of ${of.table.rows.length} rows have no number to draw.`,
  ]
    .filter((words) => words !== "")
    .join(" ");
}

/** Checks whether a line has two values at the same place. */
function hasRepeated(places: readonly Place[]): boolean {
  return new Set(places.map(({ series, x }) => JSON.stringify([series, x]))).size < places.length;
}

function assertColumns(figure: StudyFigure, { name, columns }: StudyTable): void {
  const { title, x, y, low, high, series, color, borders = [] } = figure;
  const keys = columns.map(({ key }) => key);
  for (const key of [x, y, low, high, series, color, ...borders.map(({ of }) => of)]) {
    if (key !== undefined && !keys.includes(key)) {
      throw new UsageError(
        `Cannot draw "${title}" as its columns must be in the table "${name}": "${key}" is not among ${keys.map((column) => `"${column}"`).join(", ")}`,
      );
    }
  }
}

function placeOf(figure: StudyFigure, table: StudyTable, index: number): Place[] {
  const row = at(table.rows, index, "row");
  const fits = (value: StudyValue | undefined, scale: string | undefined): value is number =>
    typeof value === "number" && Number.isFinite(value) && (scale !== "log" || value > 0);
  const [x, y] = [row[figure.x] ?? null, row[figure.y]];
  const named = figure.xScale === "band" || figure.mark === "bar";
  if (x === null || !fits(y, figure.yScale) || !(named || fits(x, figure.xScale))) return [];
  const [low, high] = intervalOf(figure, table, index);
  // One value has no range: a whisker without length would look like one that was measured.
  const bounds = fits(low, figure.yScale) && fits(high, figure.yScale) && low < high ? { low, high } : {};
  const line = figure.series === undefined ? undefined : row[figure.series];
  const series = line === undefined || line === null ? "" : String(line);
  return [{ row: index, x, y, ...bounds, series }];
}

/** Finds the ends of the interval that a figure draws around the value of a row. */
function intervalOf(
  { y, low, high, spread }: StudyFigure,
  { columns, rows }: StudyTable,
  index: number,
): readonly (StudyValue | undefined)[] {
  const row = at(rows, index, "row");
  if (spread === undefined) return [low, high].map((key) => (key === undefined ? undefined : row[key]));
  const [value, deviation] = [row[y], columns.find(({ key }) => key === y)?.deviations?.[index]];
  if (typeof value !== "number" || typeof deviation !== "number") return [];
  return [value - deviation, value + deviation];
}

/** Returns the interval of a value, if it has one. */
function boundsOf({ low, high }: Place): { readonly low?: number; readonly high?: number } {
  return low === undefined || high === undefined ? {} : { low, high };
}

function plotOf(figure: StudyFigure, table: StudyTable, drawn: Drawn): Plot {
  const { places, names, repeated } = drawn;
  const categories = [...new Set(places.map(({ x }) => String(x)))];
  const y: Axis = { label: studyColumnTitle(table, figure.y), scale: figure.yScale ?? "linear" };
  // Bars of one row would cover each other.
  if (figure.mark === "bar" && !repeated) {
    return {
      kind: "bars",
      rows: categories,
      rowsTitle: studyColumnTitle(table, figure.x),
      series: names,
      bars: places.map((place) => ({
        row: String(place.x),
        series: names.indexOf(place.series),
        value: place.y,
        ...boundsOf(place),
      })),
      axis: { ...y, scale: "linear" },
    };
  }
  const named = figure.xScale === "band" || figure.mark === "bar";
  return {
    kind: "lines",
    series: names.map((label) => ({
      label,
      joined: figure.mark === "line" && !repeated,
      points: places
        .filter(({ series }) => series === label)
        .map((place) => ({
          x: named ? categories.indexOf(String(place.x)) : Number(place.x),
          y: place.y,
          ...boundsOf(place),
        }))
        .sort((one, other) => one.x - other.x),
    })),
    x: {
      label: studyColumnTitle(table, figure.x),
      scale: figure.xScale === "log" ? "log" : "linear",
      ...(named ? { names: categories } : ticksAt(places)),
    },
    y,
  };
}

/**
 * Returns the values on the axis as its ticks if there are at most 8: a tick at a width of 64 reads better
 * than one near it, at 60.
 */
function ticksAt(places: readonly Place[]): { readonly ticks?: readonly number[] } {
  const values = [...new Set(places.map(({ x }) => Number(x)))].sort((a, b) => a - b);
  return values.length <= 8 ? { ticks: values } : {};
}

import type { StudyFigure, StudyTable, StudyValue } from "@isthmus/study";
import type { Axis } from "../figure/axes.ts";
import { drawBars } from "../figure/bar-figure.ts";
import type { Drawing, Figure } from "../figure/figure.ts";
import { drawLines } from "../figure/line-figure.ts";
import { formatNumber } from "../format-value.ts";
import { studyColumnTitle } from "./study-column-title.ts";

/** A row of a table as a figure sees it. */
interface Place {
  readonly x: string | number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  readonly series: string;
}

/**
 * Draws columns of a table as a study declares it; rows without a number to draw are left out, and the caption says so.
 * Without any there is no figure.
 * @throws TypeError if a column is missing
 */
export function studyFigure(figure: StudyFigure, table: StudyTable, name: string): Figure | undefined {
  assertColumns(figure, table);
  const places = table.rows.flatMap((row) => placeOf(figure, row));
  const missing = table.rows.length - places.length;
  if (places.length === 0) return undefined;
  const names = [...new Set(places.map(({ series }) => series))];
  const words = names.map((series) => {
    const own = places.filter((place) => place.series === series);
    return `${series === "" ? "" : `${series}: `}${own.map(({ x, y }) => `${x} ${formatNumber(y)}`).join(", ")}`;
  });
  return {
    name,
    title: `${figure.title}.`,
    caption: `${figure.caption}${missing === 0 ? "" : ` ${missing} of ${table.rows.length} rows have no number to draw.`}`,
    words: `${figure.title}: ${studyColumnTitle(table, figure.y)} by ${studyColumnTitle(table, figure.x)}. ${words.join("; ")}.`,
    table: table.name,
    size: "hero",
    draw: drawingOf(figure, table, places, names),
  };
}

function assertColumns({ title, x, y, low, high, series }: StudyFigure, { name, columns }: StudyTable): void {
  const keys = columns.map(({ key }) => key);
  for (const key of [x, y, low, high, series]) {
    if (key !== undefined && !keys.includes(key)) {
      throw new TypeError(
        `Cannot draw "${title}" as its columns must be in the table "${name}": "${key}" is not among ${keys.map((known) => `"${known}"`).join(", ")}`,
      );
    }
  }
}

function placeOf(figure: StudyFigure, row: Readonly<Record<string, StudyValue>>): Place[] {
  const fits = (value: StudyValue | undefined, scale: string | undefined): value is number =>
    typeof value === "number" && Number.isFinite(value) && (scale !== "log" || value > 0);
  const [x, y] = [row[figure.x] ?? null, row[figure.y]];
  const named = figure.xScale === "band" || figure.mark === "bar";
  if (x === null || !fits(y, figure.yScale) || !(named || fits(x, figure.xScale))) return [];
  const [low, high] = [figure.low, figure.high].map((key) => (key === undefined ? undefined : row[key]));
  const bounds = fits(low, figure.yScale) && fits(high, figure.yScale) ? { low, high } : {};
  return [{ x, y, ...bounds, series: figure.series === undefined ? "" : String(row[figure.series] ?? "") }];
}

function drawingOf(
  figure: StudyFigure,
  table: StudyTable,
  places: readonly Place[],
  names: readonly string[],
): Drawing {
  const categories = [...new Set(places.map(({ x }) => String(x)))];
  const y: Axis = { label: studyColumnTitle(table, figure.y), scale: figure.yScale ?? "linear" };
  if (figure.mark === "bar") {
    return drawBars({
      rows: categories,
      series: names,
      bars: places.map(({ x, y: value, series, ...bounds }) => ({
        row: String(x),
        series: names.indexOf(series),
        value,
        ...("low" in bounds ? bounds : {}),
      })),
      axis: { ...y, scale: "linear" },
    });
  }
  const band = figure.xScale === "band";
  return drawLines({
    series: names.map((label) => ({
      label,
      joined: figure.mark === "line",
      points: places
        .filter(({ series }) => series === label)
        .map(({ series: _, x, ...place }) => ({
          ...place,
          x: band ? categories.indexOf(String(x)) : Number(x),
        })),
    })),
    x: {
      label: studyColumnTitle(table, figure.x),
      scale: figure.xScale === "log" ? "log" : "linear",
      ...(band ? { names: categories } : ticksAt(places)),
    },
    y,
  });
}

/** Few different places on the axis are its ticks: a width of 64 is read better than one near 60. */
function ticksAt(places: readonly Place[]): { readonly ticks?: readonly number[] } {
  const values = [...new Set(places.map(({ x }) => Number(x)))].sort((a, b) => a - b);
  return values.length <= 8 ? { ticks: values } : {};
}

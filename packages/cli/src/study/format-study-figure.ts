import { type ChartSeries, formatNumber, formatShort, renderChart, studyColumnTitle } from "@isthmus/report";
import type { StudyFigure, StudyTable, StudyValue } from "@isthmus/study";
import { formatBar } from "../format/format-bar.ts";
import { formatTable } from "../format/format-table.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Columns beyond which a chart only gets coarser to read. */
const MAX_CHART_WIDTH = 90;
/** Rows of a chart, axis and legend aside. */
const CHART_HEIGHT = 10;
/** Cells of the longest bar. */
const BAR_WIDTH = 30;

type Row = StudyTable["rows"][number];

/**
 * Shows a figure of a study as a chart of lines, or as bars if its axis has names or a single place. The
 * text is empty if the figure has no number.
 */
export function formatStudyFigure(figure: StudyFigure, table: StudyTable, terminal: Terminal): string {
  const named = figure.mark === "bar" || figure.xScale === "band";
  const lines = named ? [] : listLines(figure, table);
  const places = new Set(lines.flatMap(({ points }) => points.map(([x]) => x)));
  const drawn =
    named || places.size === 1
      ? formatBars(figure, table, terminal)
      : formatLines(lines, { figure, table, terminal });
  return drawn === "" ? "" : `${figure.title}\n\n${drawn}`;
}

/** Lists the lines of a figure, on its scales; several values at one place have no line through them. */
function listLines(
  { x, y, series: key, mark, xScale, yScale }: StudyFigure,
  table: StudyTable,
): ChartSeries[] {
  const [scaleX, scaleY] = [scaleOf(xScale === "log"), scaleOf(yScale === "log")];
  const lines = new Map<string, [x: number, y: number][]>();
  for (const row of table.rows) {
    const place: [number, number] = [scaleX.toPlace(row[x]), scaleY.toPlace(row[y])];
    if (!place.every(Number.isFinite)) continue;
    const label = key === undefined ? studyColumnTitle(table, y) : textOf(row, key);
    lines.set(label, [...(lines.get(label) ?? []), place]);
  }
  return [...lines].map(([label, points]) => {
    const single = new Set(points.map(([place]) => place)).size === points.length;
    return {
      label: single ? label : `${label} (several values at a place)`,
      points: points.sort(([one], [other]) => one - other),
      joined: mark === "line" && single,
    };
  });
}

/** Returns a value of a table as text; empty if the row has none, which is normal. */
function textOf(row: Row, key: string): string {
  const { [key]: value = null } = row;
  return value === null ? "" : String(value);
}

function formatLines(
  lines: readonly ChartSeries[],
  {
    figure: { x, y, xScale, yScale },
    table,
    terminal,
  }: { readonly figure: StudyFigure; readonly table: StudyTable; readonly terminal: Terminal },
): string {
  if (lines.length === 0) return "";
  const [scaleX, scaleY] = [scaleOf(xScale === "log"), scaleOf(yScale === "log")];
  return renderChart(lines, {
    width: Math.min(terminal.columns, MAX_CHART_WIDTH),
    height: CHART_HEIGHT,
    charset: terminal.unicode ? "braille" : "ascii",
    color: terminal.color,
    yLabel: `${studyColumnTitle(table, y)}${yScale === "log" ? ", log scale" : ""}`,
    xLabel: `${studyColumnTitle(table, x)}${xScale === "log" ? ", log scale" : ""}`,
    formatX: (value) => formatShort(scaleX.toValue(value), 4),
    formatY: (value) => formatNumber(scaleY.toValue(value)),
  });
}

/** Returns the functions from values to places on an axis, NaN for values that have none, and back. */
function scaleOf(logarithmic: boolean) {
  return {
    toPlace: (value: StudyValue | undefined): number => {
      if (typeof value !== "number") return Number.NaN;
      return logarithmic ? Math.log10(value) : value;
    },
    toValue: (value: number): number => (logarithmic ? 10 ** value : value),
  };
}

function formatBars({ x, y, series }: StudyFigure, table: StudyTable, { unicode }: Terminal): string {
  const rows = table.rows.filter((row) => typeof row[y] === "number");
  if (rows.length === 0) return "";
  const heightOf = (row: Row): number => Number(row[y]);
  const full = Math.max(...rows.map(heightOf));
  return formatTable(
    [
      { title: studyColumnTitle(table, x) },
      ...(series === undefined ? [] : [{ title: studyColumnTitle(table, series) }]),
      { title: studyColumnTitle(table, y), align: "right" },
      { title: "" },
    ],
    rows.map((row) => [
      textOf(row, x),
      ...(series === undefined ? [] : [textOf(row, series)]),
      formatNumber(heightOf(row)),
      formatBar(heightOf(row), { full, width: BAR_WIDTH, unicode }),
    ]),
  );
}

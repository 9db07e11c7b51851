import { type ChartSeries, formatNumber, formatShort, renderChart, studyColumnTitle } from "@isthmus/report";
import type { StudyFigure, StudyTable, StudyValue } from "@isthmus/study";
import { formatBar } from "../format-bar.ts";
import { formatTable } from "../format-table.ts";
import type { Terminal } from "../terminal.ts";

/** Columns beyond which a chart only gets coarser to read. */
const MAX_CHART_WIDTH = 90;
/** Rows of a chart, axis and legend aside. */
const CHART_HEIGHT = 10;
/** Cells of the longest bar. */
const BAR_WIDTH = 30;

type Row = StudyTable["rows"][number];

/** Shows a figure of a study as a chart of lines, or as bars where its axis has names; nothing where there is no number. */
export function formatStudyFigure(figure: StudyFigure, table: StudyTable, terminal: Terminal): string {
  const named = figure.mark === "bar" || figure.xScale === "band";
  const drawn = named ? formatBars(figure, table, terminal) : formatLines(figure, table, terminal);
  return drawn === "" ? "" : `${figure.title}\n\n${drawn}`;
}

function formatLines(figure: StudyFigure, table: StudyTable, terminal: Terminal): string {
  const { x, y, series: key, xScale, yScale } = figure;
  const scaleX = scaleOf(xScale === "log");
  const scaleY = scaleOf(yScale === "log");
  const lines = new Map<string, [x: number, y: number][]>();
  for (const row of table.rows) {
    const place: [number, number] = [scaleX.forth(row[x]), scaleY.forth(row[y])];
    if (!place.every(Number.isFinite)) continue;
    const label = key === undefined ? studyColumnTitle(table, y) : String(row[key] ?? "");
    lines.set(label, [...(lines.get(label) ?? []), place]);
  }
  const series = [...lines].map(
    ([label, points]): ChartSeries => ({ label, points: points.sort(([one], [other]) => one - other) }),
  );
  if (series.length === 0) return "";
  return renderChart(series, {
    width: Math.min(terminal.columns, MAX_CHART_WIDTH),
    height: CHART_HEIGHT,
    charset: terminal.unicode ? "braille" : "ascii",
    color: terminal.color,
    yLabel: `${studyColumnTitle(table, y)}${yScale === "log" ? ", logarithmic" : ""}`,
    xLabel: `${studyColumnTitle(table, x)}${xScale === "log" ? ", logarithmic" : ""}`,
    formatX: (value) => formatShort(scaleX.back(value), 4),
    formatY: (value) => formatNumber(scaleY.back(value)),
  });
}

/** To places on an axis, and back; what has none there is not a number. */
function scaleOf(logarithmic: boolean) {
  return {
    forth: (value: StudyValue | undefined): number => {
      if (typeof value !== "number") return Number.NaN;
      return logarithmic ? Math.log10(value) : value;
    },
    back: (value: number): number => (logarithmic ? 10 ** value : value),
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
      String(row[x] ?? ""),
      ...(series === undefined ? [] : [String(row[series] ?? "")]),
      formatNumber(heightOf(row)),
      formatBar(heightOf(row), { full, width: BAR_WIDTH, unicode }),
    ]),
  );
}

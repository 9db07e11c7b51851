import { groupBy } from "@isthmus/core";
import { formatNumber, formatShort } from "@isthmus/findings";
import { type ChartSeries, renderChart } from "@isthmus/report";
import type { RunStudyResult, StudyFigure, StudyResult, StudyTable, StudyValue } from "@isthmus/study";
import { studyColumnTitle } from "@isthmus/study";
import type { Task, TasksProgress } from "@isthmus/tasks";
import { formatBar } from "../format/format-bar.ts";
import type { Screen } from "../format/format-chart.ts";
import { formatTable } from "../format/format-table.ts";
import { formatSeconds } from "../training/format-training.ts";
import { formatHeat } from "./format-heat.ts";

/** The tasks that could not begin as others failed, and the numbers of results. */
interface FailedCounts extends Pick<RunStudyResult, "ran" | "kept"> {
  readonly blocked: readonly unknown[];
}

/** Largest number of tasks of a list that are shown. */
const SHOWN_TASKS = 40;

/** Formats the tables of a study as text, each with its figures as charts. */
export function formatStudy({ title, only, tables, figures }: StudyResult, terminal: Screen): string {
  const parts = tables.flatMap((table) => [
    formatStudyTable(table),
    ...figures
      .filter((figure) => figure.table === table.name)
      .map((figure) => formatStudyFigure(figure, table, terminal)),
  ]);
  const part = only === undefined ? [] : [`A part of the study: ${formatVariables(only)} only`];
  return [title, ...part, ...parts.filter((part) => part !== "")].join("\n\n");
}

/** Formats variables with their values: `width 64; seed 0, 1`. */
function formatVariables(variables: Readonly<Record<string, readonly StudyValue[]>>): string {
  return Object.entries(variables)
    .map(([name, values]) => `${name} ${values.join(", ")}`)
    .join("; ");
}

function formatStudyTable(table: StudyTable): string {
  const { title, columns, rows } = table;
  const numeric = (key: string) => rows.every((row) => typeof row[key] !== "string");
  const heads = columns.map(({ key }) => ({
    title: studyColumnTitle(table, key),
    align: numeric(key) ? ("right" as const) : ("left" as const),
  }));
  const cells = rows.map((row) => columns.map(({ key }) => formatCell(row[key] ?? null)));
  return `${title}\n\n${formatTable(heads, cells)}`;
}

function formatCell(value: StudyValue): string {
  if (value === null) return "";
  return typeof value === "number" && !Number.isInteger(value) ? formatNumber(value) : String(value);
}

/** Formats the tasks that a study would run, and how many are finished already. */
export function formatMissing(missing: readonly Task[], finished: number): string {
  const shown = missing.slice(0, SHOWN_TASKS).map(({ label }) => label);
  if (missing.length > SHOWN_TASKS) shown.push(`and ${missing.length - SHOWN_TASKS} more`);
  const kinds = [...new Set(missing.map(({ kind }) => kind))].map((kind) => {
    return `${missing.filter((task) => task.kind === kind).length} ${kind}`;
  });
  const counts = kinds.length === 0 ? "" : ` (${kinds.join(", ")})`;
  const first = `${missing.length} ${missing.length === 1 ? "task" : "tasks"} to run${counts}, ${finished} finished before`;
  return [first, "How long they take is said once some of them have run.", ...shown].join("\n");
}

/** Formats the state of a study's tasks, for the progress bar. */
export function formatTasks({ completed, running, waiting, failed }: TasksProgress): string {
  const [first = ""] = running;
  const counts = [`${completed} done`, `${running.length} running`, `${waiting} left`];
  if (failed > 0) counts.push(`${failed} failed`);
  return `${counts.join(", ")}${first === "" ? "" : `: ${first}`}`;
}

/** Formats the time left of a study, for the progress bar. */
export function formatTimeLeft({ timeLeft }: TasksProgress): string {
  if (timeLeft === undefined) return "";
  return `${timeLeft.atLeast ? "at least " : ""}${formatSeconds(timeLeft.seconds)} left`;
}

/**
 * Formats the tasks of a study that failed, one line for each message, and says how to go on.
 * @param failures - with the exit code that each would have had as a command
 */
export function formatFailures(
  failures: readonly { readonly label: string; readonly message: string; readonly exitCode: number }[],
  { blocked, ran, kept }: FailedCounts,
): string {
  const lost = blocked.length === 0 ? "" : `; ${blocked.length} more could not be begun`;
  const isInput = failures.some(({ exitCode }) => exitCode === 2);
  const again = isInput
    ? "mend what the messages say, and run the command again"
    : "run the same command again";
  return [
    ...[...groupBy(failures, ({ message }) => message)].map(([message, tasks]) => {
      // Tasks fail in the order in which they end, which differs from run to run.
      const [first = "", ...others] = tasks.map(({ label }) => label).sort();
      return `${first}${others.length === 0 ? "" : ` and ${others.length} more`}: ${message}`;
    }),
    "",
    `${failures.length} tasks failed${lost}. The finished part, ${ran + kept} tasks, is kept: ${again} to go on.`,
  ].join("\n");
}

/** Number of columns beyond which a wider chart is only coarser to read. */
const MAX_CHART_WIDTH = 90;
/** Number of rows of a chart, without axis and legend. */
const CHART_HEIGHT = 10;
/** Number of cells of the longest bar. */
const BAR_WIDTH = 30;

type Row = StudyTable["rows"][number];

/**
 * Formats a figure of a study as a chart of lines, as bars if its axis has names or a single place, or as a
 * grid of numbers. The text is empty if the figure has no number.
 */
export function formatStudyFigure(figure: StudyFigure, table: StudyTable, terminal: Screen): string {
  const named = figure.mark === "bar" || figure.xScale === "band";
  const lines = named ? [] : listLines(figure, table);
  const places = new Set(lines.flatMap(({ points }) => points.map(([x]) => x)));
  const drawLines = () =>
    named || places.size === 1
      ? formatBars(figure, table, terminal)
      : formatLines(lines, { figure, table, terminal });
  const drawn = figure.mark === "heat" ? formatHeat(figure, table) : drawLines();
  return drawn === "" ? "" : `${figure.title}\n\n${drawn}`;
}

/** Lists the lines of a figure, on its scales; several values at one place have no line through them. */
function listLines(
  { x, y, series: key, mark, xScale, yScale }: StudyFigure,
  table: StudyTable,
): ChartSeries[] {
  const [scaleX, scaleY] = [scaleOf(xScale === "log"), scaleOf(yScale === "log")];
  const places = table.rows.flatMap((row) => {
    const place: [x: number, y: number] = [scaleX.toPlace(row[x]), scaleY.toPlace(row[y])];
    const label = key === undefined ? studyColumnTitle(table, y) : textOf(row, key);
    return place.every(Number.isFinite) ? [{ label, place }] : [];
  });
  return [...groupBy(places, ({ label }) => label)].map(([label, group]) => {
    const points = group.map(({ place }) => place);
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
  }: { readonly figure: StudyFigure; readonly table: StudyTable; readonly terminal: Screen },
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

function formatBars({ x, y, series }: StudyFigure, table: StudyTable, { unicode }: Screen): string {
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

import { formatNumber, studyColumnTitle } from "@isthmus/report";
import type { RunStudyResult, StudyResult, StudyTable, StudyValue } from "@isthmus/study";
import type { Task, TasksProgress } from "@isthmus/tasks";
import { formatTable } from "../format/format-table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { formatSeconds } from "../training/format-training.ts";
import { formatStudyFigure } from "./format-study-figure.ts";

/** The tasks that could not begin as others failed, and the numbers of results. */
interface FailedCounts extends Pick<RunStudyResult, "ran" | "kept"> {
  readonly blocked: readonly unknown[];
}

/** Most tasks of a list that are shown. */
const SHOWN_TASKS = 40;

/** Formats the tables of a study as text, each with its figures as charts. */
export function formatStudy({ title, only, tables, figures }: StudyResult, terminal: Terminal): string {
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

/** Formats the tasks that a study would run, and how many results are there already. */
export function formatMissing(missing: readonly Task[], resultCount: number): string {
  const shown = missing.slice(0, SHOWN_TASKS).map(({ label }) => label);
  if (missing.length > SHOWN_TASKS) shown.push(`and ${missing.length - SHOWN_TASKS} more`);
  const kinds = [...new Set(missing.map(({ kind }) => kind))].map((kind) => {
    return `${missing.filter((task) => task.kind === kind).length} ${kind}`;
  });
  const counts = kinds.length === 0 ? "" : ` (${kinds.join(", ")})`;
  const first = `${missing.length} tasks to run${counts}, ${resultCount} results there`;
  return [first, "How long they take is said once some of them have run.", ...shown].join("\n");
}

/** Formats what a study is doing, for the progress bar. */
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

/** Formats the tasks of a study that failed, one a line, and says how to go on. */
export function formatFailures(
  failures: readonly { readonly label: string; readonly message: string }[],
  { blocked, ran, kept }: FailedCounts,
): string {
  const lost = blocked.length === 0 ? "" : `; ${blocked.length} more could not be begun`;
  return [
    ...failures.map(({ label, message }) => `${label}: ${message}`),
    "",
    `${failures.length} tasks failed${lost}. The finished part, ${ran + kept} results, is kept: run the study again to go on.`,
  ].join("\n");
}

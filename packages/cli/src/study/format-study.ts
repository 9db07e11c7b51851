import { formatNumber } from "@isthmus/report";
import type {
  RunStudyResult,
  StudyResult,
  StudyTable,
  StudyValue,
  Task,
  TasksProgress,
} from "@isthmus/study";
import { formatTable } from "../format-table.ts";
import { formatSeconds } from "../training/format-training.ts";

/** Tasks that are shown of a long list. */
const SHOWN_TASKS = 40;

/** Sets the tables of a study as text. */
export function formatStudy({ title, tables }: StudyResult): string {
  return [title, ...tables.map(formatStudyTable)].join("\n\n");
}

function formatStudyTable({ title, columns, rows }: StudyTable): string {
  const numeric = (key: string) => rows.every((row) => typeof row[key] !== "string");
  const heads = columns.map(({ key, title: head, unit }) => ({
    title: unit === undefined ? head : `${head} (${unit})`,
    align: numeric(key) ? ("right" as const) : ("left" as const),
  }));
  const cells = rows.map((row) => columns.map(({ key }) => formatCell(row[key] ?? null)));
  return `${title}\n\n${formatTable(heads, cells)}`;
}

function formatCell(value: StudyValue): string {
  if (value === null) return "";
  return typeof value === "number" && !Number.isInteger(value) ? formatNumber(value) : String(value);
}

/** What a study would run, as text. */
export function formatMissing(missing: readonly Task[], kept: number): string {
  const shown = missing.slice(0, SHOWN_TASKS).map(({ key, label }) => `${key}  ${label}`);
  if (missing.length > SHOWN_TASKS) shown.push(`and ${missing.length - SHOWN_TASKS} more`);
  return [`${missing.length} tasks to run, ${kept} results there`, ...shown].join("\n");
}

/** What a study is doing, for the progress bar. */
export function formatTasks({ done, running, waiting, failed }: TasksProgress): string {
  const [first = ""] = running;
  const counts = [`${done} done`, `${running.length} running`, `${waiting} left`];
  if (failed > 0) counts.push(`${failed} failed`);
  return `${counts.join(", ")}${first === "" ? "" : `: ${first}`}`;
}

/** The time left of a study, for the progress bar. */
export function formatTimeLeft({ secondsLeft }: TasksProgress): string {
  return secondsLeft === undefined ? "" : `${formatSeconds(secondsLeft)} left`;
}

/** What failed of a study, as text. */
export function formatFailures({ failures, blocked, ran, kept }: RunStudyResult): string {
  const told = failures.map(({ task, error }) => `${task.label}: ${(error as Error).message}`);
  const lost = blocked.length === 0 ? "" : `; ${blocked.length} more could not be begun`;
  return [
    ...told,
    "",
    `${failures.length} tasks failed${lost}. What was done, ${ran + kept} results, is kept: run the study again to go on.`,
  ].join("\n");
}

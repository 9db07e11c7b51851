import {
  closestName,
  FormatError,
  InputError,
  OutOfRangeError,
  readJsonFile,
  UsageError,
} from "@isthmus/core";
import { join, readdir, stat } from "@isthmus/platform";
import { isMap } from "../recipe/shape.ts";

/** A task of lm-eval whose score counts. */
export interface LmEvalTask {
  /** Name of the task or of the group, as in `--tasks`. */
  readonly task: string;
  /**
   * Name of the metric, with a filter if several filters have it: `acc_norm`, `exact_match,strict-match`.
   * @defaultValue the only metric of the task, or `acc` of several
   */
  readonly metric?: string | undefined;
  /** Weight of the task in the mean, above 0. @defaultValue 1 */
  readonly weight?: number | undefined;
}

/** Whether small scores are better, or large ones. */
type Goal = "minimize" | "maximize";

/** Options of {@link readLmEval}. */
export interface ReadLmEvalOptions {
  /** Tasks whose scores are averaged, at least one. */
  readonly tasks: readonly LmEvalTask[];
  /**
   * Goal of the search, which every metric must have as well, as far as the results say.
   * @defaultValue none: directions are not compared
   */
  readonly goal?: Goal | undefined;
}

/**
 * Levels of folders below the given one in which results are looked for; lm-eval makes one for each model.
 */
const MOST_LEVELS = 3;
/** Largest number of files and folders that are looked at. */
const MOST_ENTRIES = 10_000;

/**
 * Parses the name of a task with what counts of it: `arc_easy`, `arc_easy:acc_norm`,
 * `gsm8k:exact_match,strict-match=2`.
 * @throws UsageError if the text has no task, or its weight is not above 0
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseLmEvalTask } from "@isthmus/recipe";
 *
 * const task = parseLmEvalTask("arc_easy:acc_norm=2");
 * assert.deepEqual(task, { task: "arc_easy", metric: "acc_norm", weight: 2 });
 * ```
 */
export function parseLmEvalTask(text: string): LmEvalTask {
  const [, task = "", metric, weight] = /^([^:=]+)(?::([^=]+))?(?:=(.+))?$/.exec(text) ?? [];
  const number = weight === undefined ? undefined : Number(weight);
  if (task !== "" && (number === undefined || (number > 0 && Number.isFinite(number))))
    return { task, ...(metric !== undefined && { metric }), ...(number !== undefined && { weight: number }) };
  throw new UsageError(
    `Cannot read the task of lm-eval "${text}" as it must be TASK, TASK:METRIC or TASK:METRIC=WEIGHT, with a weight above 0; write, for example, arc_easy:acc_norm=2`,
  );
}

/**
 * Reads scores from the results that lm-eval writes with `--output_path`, and returns their weighted mean.
 *
 * In a folder, all files `results*.json` are read, also in the folders below that lm-eval makes for models;
 * of a task that is in several of them, the latest by the time in its name counts.
 * @param path - a file of results, or a folder
 * @returns the score; NaN if lm-eval could not compute a metric
 * @throws InputError if there are no results, or they lack a task or a metric
 * @throws FormatError if a file is not JSON of lm-eval
 * @throws UsageError if a metric has another goal than the search
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeFile } from "node:fs/promises";
 * import { readLmEval } from "@isthmus/recipe";
 *
 * const results = { arc_easy: { "acc,none": 0.5, "acc_norm,none": 0.7 }, boolq: { "acc,none": 0.9 } };
 * await writeFile("results.json", JSON.stringify({ results }));
 * const tasks = [{ task: "arc_easy", metric: "acc_norm" }, { task: "boolq", weight: 3 }];
 * assert.equal((await readLmEval("results.json", { tasks })).toFixed(2), "0.85");
 * ```
 */
export async function readLmEval(path: string, { tasks, goal }: ReadLmEvalOptions): Promise<number> {
  if (tasks.length === 0)
    throw new OutOfRangeError("Cannot read results of lm-eval as a task must be named: none is");
  const read = await readResults(path);
  let [sum, total] = [0, 0];
  for (const { task, metric, weight = 1 } of tasks) {
    const { metrics, isHigherBetter, path: file } = findTask(read, task, path);
    const key = findMetric(metrics, { task, metric, path: file });
    assertGoal(isHigherBetter[nameOf(key)], { task, metric: key, goal });
    sum += weight * scoreOf(metrics[key], `"${key}" of task "${task}" in "${file}"`);
    total += weight;
  }
  return sum / total;
}

/** Results of one file: metrics by task, and their directions. */
interface Results {
  readonly path: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly directions: Readonly<Record<string, unknown>>;
}

async function readResults(path: string): Promise<readonly Results[]> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const paths = isFolder ? await listResults(path) : [path];
  if (paths.length === 0) {
    throw new InputError(
      `Cannot read results of lm-eval in "${path}" as a file results*.json must be there: there is none; give the command the path by --output_path`,
      { input: path },
    );
  }
  const read: Results[] = [];
  for (const file of paths) {
    const value = await readJsonFile(file, { pythonNumbers: true });
    const results = isMap(value) ? value["results"] : undefined;
    if (!isMap(value) || !isMap(results)) {
      const rule = 'it must have "results" by task, as lm-eval writes with --output_path: it has none';
      throw new FormatError(`Cannot read "${file}" as ${rule}`, { format: "lm-eval" });
    }
    const directions = value["higher_is_better"];
    read.push({ path: file, results, directions: isMap(directions) ? directions : {} });
  }
  return read;
}

/** Lists the files of results in a folder, the latest first. */
async function listResults(folder: string): Promise<readonly string[]> {
  const files: { readonly path: string; readonly name: string }[] = [];
  let seen = 0;
  const visit = async (directory: string, level: number): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      seen++;
      if (seen > MOST_ENTRIES) {
        throw new InputError(
          `Cannot read results of lm-eval in "${folder}" as it may hold ${MOST_ENTRIES} files: it holds more; give a folder of its own`,
          { input: folder },
        );
      }
      const path = join(directory, entry.name);
      if (entry.isDirectory() && level < MOST_LEVELS) await visit(path, level + 1);
      else if (entry.isFile() && /^results.*\.json$/.test(entry.name)) files.push({ path, name: entry.name });
    }
  };
  await visit(folder, 0);
  // Names have the time; of equal names, paths decide, so that the order does not depend on the disk.
  return files
    .sort((a, b) => (a.name === b.name ? (a.path < b.path ? -1 : 1) : a.name < b.name ? 1 : -1))
    .map(({ path }) => path);
}

interface FoundTask {
  readonly path: string;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly isHigherBetter: Readonly<Record<string, unknown>>;
}

function findTask(read: readonly Results[], task: string, input: string): FoundTask {
  for (const { path, results, directions } of read) {
    const metrics = Object.hasOwn(results, task) ? results[task] : undefined;
    const isHigherBetter = Object.hasOwn(directions, task) ? directions[task] : undefined;
    if (isMap(metrics)) return { path, metrics, isHigherBetter: isMap(isHigherBetter) ? isHigherBetter : {} };
  }
  const names = read.flatMap(({ results }) => Object.keys(results));
  throw new InputError(
    `Cannot read the score of task "${task}" as the results in "${input}" must have it: ${known(task, names)}`,
    { input },
  );
}

/** Finds the key of a metric, which has a filter behind a comma. */
function findMetric(
  metrics: Readonly<Record<string, unknown>>,
  {
    task,
    metric,
    path,
  }: { readonly task: string; readonly metric: string | undefined; readonly path: string },
): string {
  const keys = Object.keys(metrics).filter((key) => key.includes(",") && !nameOf(key).endsWith("_stderr"));
  const refuse = (rule: string): InputError =>
    new InputError(`Cannot read the score of task "${task}" in "${path}" as ${rule}`, { input: path });
  if (metric !== undefined && keys.includes(metric)) return metric;
  const [first = "", second] = keys;
  const name = metric ?? (second === undefined ? nameOf(first) : "acc");
  const fitting = keys.filter((key) => nameOf(key) === name);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  if (fitting.length > 1) throw refuse(`one filter must be named: "${name}" has ${fitting.join(" and ")}`);
  throw refuse(
    metric === undefined
      ? `its metric must be named: it has ${keys.join(" and ") || "none"}`
      : `it must have the metric "${metric}": ${known(metric, metric.includes(",") ? keys : keys.map(nameOf))}`,
  );
}

/** Returns the name of a metric without its filter. */
function nameOf(key: string): string {
  return key.slice(0, key.includes(",") ? key.indexOf(",") : key.length);
}

function known(name: string, names: readonly string[]): string {
  const meant = closestName(name, names);
  return meant === undefined
    ? `there are ${names.slice(0, 20).join(", ") || "none"}`
    : `did you mean "${meant}"?`;
}

function scoreOf(value: unknown, what: string): number {
  if (typeof value === "number") return value;
  // Not a number, which Python writes as a word.
  if (value === null) return Number.NaN;
  throw new FormatError(`Cannot read ${what} as it must be a number: it is ${JSON.stringify(value)}`, {
    format: "lm-eval",
  });
}

function assertGoal(
  isHigherBetter: unknown,
  { task, metric, goal }: { readonly task: string; readonly metric: string; readonly goal: Goal | undefined },
): void {
  if (goal === undefined || typeof isHigherBetter !== "boolean") return;
  if (isHigherBetter === (goal === "maximize")) return;
  throw new UsageError(
    `Cannot ${goal} "${metric}" of task "${task}" as ${isHigherBetter ? "large" : "small"} scores are better, the results say: search with the goal ${isHigherBetter ? "maximize" : "minimize"}`,
  );
}

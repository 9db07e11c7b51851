import { dataWords, formatCounted } from "@isthmus/findings";
import type { StudyColumn, StudyFigure, StudyGroup, StudyResult, StudyTable } from "../study-result.ts";

type Values = readonly (string | number)[];

/** Number of consecutive whole numbers from which on a list names only the first and the last. */
const LONG_RUN = 4;

/** Properties of a drawn figure that its caption describes. */
export interface DrawnRows {
  /** Indices of the rows that are drawn. */
  readonly rows: readonly number[];
  /** Whether some of these rows have an interval. */
  readonly bounded: boolean;
  /** Word for the shape that shows a value. */
  readonly mark: "mark" | "bar" | "cell";
  /** Word for the shape that shows the interval of a value. */
  readonly interval: "band" | "thin line";
}

/**
 * Describes the data behind a figure, as far as the results record it: how many measurements, on which
 * examples, of which networks.
 */
export function studyCaption(
  figure: StudyFigure,
  { table, study }: { readonly table: StudyTable; readonly study: StudyResult },
  drawn: DrawnRows,
): string {
  return [countWords(figure, table, drawn), measuredWords(table), seedWords(table, study)]
    .filter((words) => words !== "")
    .join(" ");
}

/** Says how many measurements each value is the mean of, and what its interval shows. */
function countWords(
  { y, low, high, spread }: StudyFigure,
  { columns }: StudyTable,
  drawn: DrawnRows,
): string {
  const { rows, bounded, mark, interval } = drawn;
  const columnOf = (key: string | undefined): StudyColumn | undefined =>
    columns.find((column) => column.key === key);
  const column = columnOf(y);
  // Older files have no counts.
  const counts = rows
    .map((row) => column?.counts?.[row])
    .filter((count): count is number => count !== undefined && count > 0);
  if (column?.aggregate !== "mean" || counts.length === 0) return "";
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return `Each ${mark} is one measurement.`;
  const several = least === most ? String(most) : `${least} to ${most}`;
  const bounds =
    spread === undefined ? [columnOf(low)?.aggregate, columnOf(high)?.aggregate].join() : "low,high";
  const range = bounded && bounds === "min,max" ? `; the ${interval} is their range` : "";
  const deviation =
    bounded && bounds === "low,high" ? `; the ${interval} is one standard deviation around it` : "";
  return `Each ${mark} is the mean of ${several} measurements${range}${deviation}.`;
}

/** Says on which examples, and at how many places of each path, the results were measured. */
function measuredWords({ measured = [] }: StudyTable): string {
  const sentences = measured.map(({ data, examples, points }) => {
    const places = points === undefined ? "" : `at ${formatCounted(points, "place")} of each path `;
    return `${places}on ${dataWords(data, examples)}`;
  });
  return sentences.length === 0 ? "" : `Measured ${sentences.join(", and ")}.`;
}

/** Says which networks were measured: the values of the variable that pairs or merged networks differ in. */
function seedWords({ of = [] }: StudyTable, { networks = [], measurements = [] }: StudyResult): string {
  const groups = measurements.filter(({ name }) => of.includes(name));
  const values = groups.flatMap(({ settings: { of: merged, between = merged, across = "seed", where } }) =>
    [between].flat().flatMap((name) => {
      const variable = String(across);
      const choices = networks.find((network) => network.name === name)?.variables[variable];
      if (choices === undefined) return [];
      return [`${networksName(networks, name)}${variable} ${listValues(chosen(choices, variable, where))}`];
    }),
  );
  const distinct = [...new Set(values)];
  return distinct.length === 0 ? "" : `Networks: ${distinct.join("; ")}.`;
}

/**
 * Returns the values of a variable that the `where` of a measurement selects; all values if it does not name
 * the variable.
 */
function chosen(values: Values, variable: string, where: unknown): Values {
  if (typeof where !== "object" || where === null || !Object.hasOwn(where, variable)) return values;
  const choices = [(where as Readonly<Record<string, unknown>>)[variable]].flat();
  const left = values.filter((value) => choices.includes(value));
  // A value that depends on a variable of the measurement is not known here.
  return left.length === 0 ? values : left;
}

/** Returns the name of a group, with a comma, if there are several groups. */
const networksName = (networks: readonly StudyGroup[], name: unknown): string =>
  networks.length > 1 ? `${name}, ` : "";

/** Joins values by commas; a long run of consecutive whole numbers becomes `first to last`. */
function listValues(values: Values): string {
  const [first, last] = [values[0], values.at(-1)];
  const run = values.every((value, index) => typeof value === "number" && value === Number(first) + index);
  return run && values.length >= LONG_RUN ? `${first} to ${last}` : values.join(", ");
}

/** Lists variables with their values. */
export function listVariables(variables: Readonly<Record<string, Values>>): string {
  return Object.entries(variables)
    .map(([name, values]) => `${name} ${listValues(values)}`)
    .join("; ");
}

/** Pattern of a setting that consists of one variable, such as `${seed}`. */
const WHOLE_VARIABLE = /^\$\{(\w+)\}$/;

/**
 * Describes the networks or the measurements of a group: how many, of which variables, and with which
 * settings.
 */
export function groupWords({ count, variables, settings }: StudyGroup): string {
  const of = listVariables(variables);
  const list = Object.entries(settings).flatMap(([name, value]) => {
    // The variable of that name has its values before the settings.
    if (variableOf(value) === name && Object.hasOwn(variables, name)) return [];
    return [`${nameWords(name)} ${settingWords(value)}`];
  });
  return `${count}${of === "" ? "" : ` (${of})`}: ${list.join("; ")}`;
}

/** Returns the name of the variable that a setting consists of; undefined if the setting is anything else. */
function variableOf(setting: unknown): string | undefined {
  return typeof setting === "string" ? WHOLE_VARIABLE.exec(setting)?.[1] : undefined;
}

/** Writes a setting of a description in words. */
function settingWords(value: unknown): string {
  const variable = variableOf(value);
  if (variable !== undefined) return variable;
  if (Array.isArray(value)) return value.map(settingWords).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  if ("lookup" in value) {
    const { variable, values } = value.lookup as { variable: string; values: object };
    return `by ${variable} (${Object.entries(values)
      .map(([key, one]) => `${key}: ${one}`)
      .join(", ")})`;
  }
  const { kind, ...others } = value as Readonly<Record<string, unknown>>;
  const list = Object.entries(others).map(([name, one]) => `${nameWords(name)} ${settingWords(one)}`);
  if (kind === undefined) return list.join(", ");
  return list.length === 0 ? String(kind) : `${kind} (${list.join(", ")})`;
}

/** Writes a name such as `learningRate` in words: `learning rate`. */
const nameWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

import { InputError } from "@isthmus/core";
import type { StudyDescription } from "../description/study-description.ts";
import type { ColumnSource, TableDescription } from "../description/table-description.ts";
import type { PlannedMeasurement } from "../plan/plan-measurement.ts";
import { measuredFor } from "./measured-for.ts";

/**
 * Checks, before anything is run, that tables and figures name measurements, variables and columns that will
 * exist. Paths into results are checked when they are followed.
 * @throws InputError if one does not
 */
export function assertTables(
  { tables, figures = [] }: StudyDescription,
  measurements: Readonly<Record<string, readonly PlannedMeasurement[]>>,
): void {
  for (const [name, table] of Object.entries(tables)) {
    for (const measurement of [table.of].flat()) {
      assertOneOf(`make table "${name}"`, "its measurement", measurement, Object.keys(measurements));
    }
    assertVariables(name, table, measuredFor(table, measurements));
    assertColumns(name, table);
  }
  for (const { title, table, x, y, low, high, series } of figures) {
    assertOneOf(`draw "${title}"`, "its table", table, Object.keys(tables));
    const columns = Object.keys(tables[table]?.columns ?? {});
    for (const column of [x, y, low, high, series]) {
      if (column !== undefined) assertOneOf(`draw "${title}"`, "a column", column, columns);
    }
  }
}

function assertVariables(
  name: string,
  { by, each, where = {} }: TableDescription,
  measured: readonly PlannedMeasurement[],
): void {
  // Fields of results count as variables where each of a list is one: they are not known yet.
  if (each !== undefined) return;
  for (const { variables } of measured) {
    for (const variable of [...by, ...Object.keys(where)]) {
      assertOneOf(`make table "${name}"`, "a variable", variable, Object.keys(variables));
    }
  }
}

function assertColumns(name: string, { columns, by, stack }: TableDescription): void {
  const keys = Object.keys(columns);
  if (stack !== undefined) assertOneOf(`make table "${name}"`, "the column of its stack", stack.column, keys);
  for (const [label, sources] of Object.entries(stack?.parts ?? { "": {} })) {
    for (const key of Object.keys(sources))
      assertOneOf(`make table "${name}"`, `a column of "${label}"`, key, keys);
    for (const [key, column] of Object.entries(columns)) {
      const source: ColumnSource = { ...column, ...sources[key] };
      if (key !== stack?.column) assertSource({ table: name, key, by, keys }, source);
    }
  }
}

interface ColumnPlace {
  readonly table: string;
  readonly key: string;
  readonly by: readonly string[];
  /** Of all columns. */
  readonly keys: readonly string[];
}

function assertSource({ table, key, by, keys }: ColumnPlace, source: ColumnSource): void {
  const { variable, mean, std, min, max, low, high, count, ratio, lookup } = source;
  const sources = [variable, mean, std, min, max, low, high, count, ratio, lookup].filter(
    (value) => value !== undefined,
  );
  if (sources.length > 1) {
    throw new InputError(
      `Cannot make table "${table}" as a column must have one source: "${key}" has ${sources.length}`,
      { input: key },
    );
  }
  for (const column of ratio ?? [])
    assertOneOf(`make table "${table}"`, `a column of the ratio "${key}"`, column, keys);
  const shown = sources.length === 0 ? key : (variable ?? lookup?.variable);
  if (shown !== undefined) {
    assertOneOf(
      `make table "${table}"`,
      `what column "${key}" shows, without mean, min or the like,`,
      shown,
      by,
    );
  }
}

function assertOneOf(attempt: string, what: string, name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw new InputError(
    `Cannot ${attempt} as ${what} must be one of ${names.join(", ") || "none"}: it is "${name}"`,
    {
      input: name,
    },
  );
}

import { InputError } from "@isthmus/core";
import { fulfils } from "../description/fulfils.ts";
import type { ColumnDescription, TableDescription } from "../description/table-description.ts";
import type { StudyColumn, StudyTable, StudyValue } from "../study-result.ts";
import { AGGREGATES, type AggregateName } from "./aggregate.ts";
import { collectRecords, type StudyRecord } from "./collect-records.ts";
import { followPath } from "./follow-path.ts";
import { groupRecords } from "./group-records.ts";
import { listMeasured, type MeasuredResults } from "./list-measured.ts";

type Columns = readonly (readonly [key: string, column: ColumnDescription])[];

/**
 * Gathers results into a table: results of equal variables make a row; rows are in the order of their
 * variables.
 * @throws InputError if a path leads nowhere in any result, or a variable is not known
 */
export function collectTable(name: string, table: TableDescription, from: MeasuredResults): StudyTable {
  const records = collectRecords(table, from.measured, from.results);
  const groups = groupRecords(name, table.by, records);
  const parts = Object.entries(table.stack?.parts ?? { "": {} });
  const rows = parts.flatMap(([label, sources]) => {
    const columns = Object.entries(table.columns).map(
      ([key, column]) => [key, { ...column, ...sources[key] }] as const,
    );
    assertPaths(name, columns, records);
    return groups.map((group) => {
      const values = makeRow(columns, group);
      const row = table.stack === undefined ? values : { ...values, [table.stack.column]: label };
      return { row, columns, group };
    });
  });
  const columns = Object.entries(table.columns).map(([key, { title, unit }]) => {
    return { key, title, ...(unit !== undefined && { unit }), ...countResults(key, rows) };
  });
  return {
    name,
    title: table.title,
    of: [table.of].flat(),
    measured: listMeasured(from),
    columns,
    rows: rows.map(({ row }) => row),
  };
}

/** A row of a table with what it is made of. */
interface MadeRow {
  readonly row: Readonly<Record<string, StudyValue>>;
  readonly columns: Columns;
  readonly group: readonly StudyRecord[];
}

/**
 * Says of how many results a column's numbers are made, if all numbers that are made of results are made in
 * the same way.
 */
function countResults(key: string, rows: readonly MadeRow[]): Pick<StudyColumn, "aggregate" | "counts"> {
  const sources = rows.map(({ columns, group }) => {
    const column = columns.find(([name]) => name === key)?.[1];
    const [aggregate, path] = (column && aggregateOf(column)) ?? [];
    const count = column === undefined || path === undefined ? 0 : valuesOf(column, path, group).length;
    return { aggregate, count };
  });
  const [aggregate, ...others] = new Set(sources.map((source) => source.aggregate).filter(isDefined));
  if (aggregate === undefined || others.length > 0) return {};
  return { aggregate, counts: sources.map(({ count }) => count) };
}

const isDefined = <T>(value: T | undefined): value is T => value !== undefined;

function makeRow(columns: Columns, group: readonly StudyRecord[]): Readonly<Record<string, StudyValue>> {
  const row: Record<string, StudyValue> = {};
  for (const [key, column] of columns) row[key] = cellOf(key, column, group);
  for (const [key, { ratio }] of columns) {
    if (ratio !== undefined) row[key] = quotient(row[ratio[0]], row[ratio[1]]);
  }
  return row;
}

function cellOf(key: string, column: ColumnDescription, group: readonly StudyRecord[]): StudyValue {
  const [first] = group;
  const { lookup, labels = {}, variable = key } = column;
  if (lookup !== undefined) return lookup.values[String(first?.variable(lookup.variable))] ?? null;
  const [aggregate, path] = aggregateOf(column) ?? [];
  if (aggregate === undefined || path === undefined) {
    const value = first?.variable(variable) ?? null;
    return labels[String(value)] ?? value;
  }
  const values = valuesOf(column, path, group);
  return values.length === 0 ? null : AGGREGATES[aggregate](values);
}

/** Numbers that a path leads to in those results of a row that a column is of. */
function valuesOf(column: ColumnDescription, path: string, group: readonly StudyRecord[]): number[] {
  return group
    .filter((record) => fulfils(record.variable, column.where ?? {}))
    .map(({ value }) => followPath(value, path))
    .filter((value) => typeof value === "number");
}

function aggregateOf(column: ColumnDescription): [AggregateName, string] | undefined {
  for (const name of Object.keys(AGGREGATES) as AggregateName[]) {
    const path = column[name];
    if (path !== undefined) return [name, path];
  }
  return undefined;
}

function quotient(numerator: StudyValue | undefined, denominator: StudyValue | undefined): number | null {
  if (typeof numerator !== "number" || typeof denominator !== "number" || denominator === 0) return null;
  return numerator / denominator;
}

function assertPaths(table: string, columns: Columns, records: readonly StudyRecord[]): void {
  for (const [key, column] of columns) {
    const [, path] = aggregateOf(column) ?? [];
    if (path === undefined || records.some(({ value }) => followPath(value, path) !== undefined)) continue;
    throw new InputError(
      `Cannot make table "${table}" as the path of column "${key}" must lead somewhere in a result: "${path}" does in none of ${records.length}`,
      { input: path },
    );
  }
}

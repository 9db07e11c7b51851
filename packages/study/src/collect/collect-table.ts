import { at, entry, InputError } from "@isthmus/core";
import type { VariableValue } from "@isthmus/forms";
import type { ColumnDescription, TableDescription } from "../description/table-description.ts";
import type { PlannedMeasurement } from "../plan/planned-measurement.ts";
import { fulfils } from "../plan/select-networks.ts";
import type { StudyColumn, StudyMeasured, StudyTable, StudyValue } from "../study-result.ts";
import { AGGREGATES, type AggregateName } from "./aggregate.ts";

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
    return { key, title, ...(unit !== undefined && { unit }), ...countResults(key, rows, from.spread) };
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

/** A row of a table, with its columns and the records that it is computed from. */
interface MadeRow {
  readonly row: Readonly<Record<string, StudyValue>>;
  readonly columns: Columns;
  readonly group: readonly StudyRecord[];
}

/**
 * Returns the aggregate of a column and the number of results behind each of its numbers, and their
 * deviations if it is among `spread`; an empty object if no row aggregates results, or rows use different
 * aggregates.
 */
function countResults(
  key: string,
  rows: readonly MadeRow[],
  spread: readonly string[] = [],
): Pick<StudyColumn, "aggregate" | "counts" | "deviations"> {
  const sources = rows.map(({ columns, group }) => {
    const column = columns.find(([name]) => name === key)?.[1];
    const [aggregate, path] = (column && aggregateOf(column)) ?? [];
    const values = column === undefined || path === undefined ? [] : valuesOf(column, path, group);
    return { aggregate, values };
  });
  const [aggregate, ...others] = new Set(sources.map((source) => source.aggregate).filter(isDefined));
  if (aggregate === undefined || others.length > 0) return {};
  return {
    aggregate,
    counts: sources.map(({ values }) => values.length),
    ...(spread.includes(key) && { deviations: sources.map(({ values }) => AGGREGATES.std(values)) }),
  };
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

/**
 * Lists the numbers at a path in the results of a row that fit the column's `where`; true counts as 1, false
 * as 0.
 */
function valuesOf(column: ColumnDescription, path: string, group: readonly StudyRecord[]): number[] {
  return group
    .filter((record) => fulfils(record.variable, column.where ?? {}))
    .map(({ value }) => followPath(value, path))
    .map((value) => (typeof value === "boolean" ? Number(value) : value))
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

/** A result, or an entry of a list in one, with the variables that distinguish it from others. */
interface StudyRecord {
  /**
   * Returns the value of a variable, or the value at a path in the entry or in an enclosing one.
   * @returns undefined if there is none
   */
  variable(name: string): VariableValue | undefined;
  readonly value: unknown;
}

/** An entry of a list, with the values that enclose it, the innermost first. */
interface Entry {
  readonly value: unknown;
  readonly around: readonly unknown[];
  /** Place in its list, from 1. */
  readonly number: number;
}

/** Step of a path that leads to every entry of a list. */
const EVERY = "*";

/**
 * Lists the records of a table, in the order of the plan.
 * @throws InputError if `each` leads to no list
 */
function collectRecords(
  { each, where = {} }: TableDescription,
  measured: readonly PlannedMeasurement[],
  results: ReadonlyMap<string, object>,
): readonly StudyRecord[] {
  const records = measured.flatMap(({ variables, task }) => {
    const whole: Entry = { value: results.get(task), around: [], number: 1 };
    const entries = each === undefined ? [whole] : listEntries(whole, each);
    return entries.map(({ value, around, number }): StudyRecord => {
      const variable = (name: string): VariableValue | undefined => {
        if (Object.hasOwn(variables, name)) return variables[name];
        if (each !== undefined && name === "number") return number;
        return [value, ...around].map((scope) => textAt(scope, name)).find((text) => text !== undefined);
      };
      return { variable, value };
    });
  });
  return records.filter(({ variable }) => [where].flat().some((values) => fulfils(variable, values)));
}

function textAt(value: unknown, path: string): VariableValue | undefined {
  const target = followPath(value, path);
  return typeof target === "string" || typeof target === "number" ? target : undefined;
}

/**
 * Lists the entries of the list at a path. `*` in the path steps into every entry of a list on the way: the
 * result then joins the lists of all these entries.
 */
function listEntries(whole: Entry, path: string): readonly Entry[] {
  let entries = [whole];
  for (const part of path.split(`.${EVERY}.`)) {
    entries = entries.flatMap(({ value, around }) => {
      const list = followPath(value, part);
      if (!Array.isArray(list)) throw noList(path);
      return list.map((inner: unknown, index): Entry => {
        return { value: inner, around: [value, ...around], number: index + 1 };
      });
    });
  }
  return entries;
}

function noList(path: string): InputError {
  return new InputError(
    `Cannot make a table as "each" must lead to a list in every result: "${path}" does not`,
    { input: path },
  );
}

/**
 * Returns the value at a path such as `barrier.loss.chord` or `predictors.0.nll` in a result.
 * @returns undefined if the path leads nowhere
 */
function followPath(result: unknown, path: string): unknown {
  let at = result;
  for (const step of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[step];
  }
  return at;
}

interface Group {
  readonly values: readonly VariableValue[];
  readonly records: StudyRecord[];
}

/**
 * Groups records by the values of some variables, ordered by these values: numbers ascending, texts as they
 * first appear.
 * @throws InputError if a record has no such variable
 */
function groupRecords(
  table: string,
  by: readonly string[],
  records: readonly StudyRecord[],
): readonly (readonly StudyRecord[])[] {
  const groups = new Map<string, Group>();
  const ranks = by.map(() => new Map<VariableValue, number>());
  for (const record of records) {
    const values = by.map((name) => readVariable(table, name, record));
    for (const [index, value] of values.entries()) {
      const rank = at(ranks, index, "rank");
      if (!rank.has(value)) rank.set(value, rank.size);
    }
    const key = JSON.stringify(values);
    const group = groups.get(key) ?? { values, records: [] };
    group.records.push(record);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => compare(a, b, ranks)).map((group) => group.records);
}

function readVariable(table: string, name: string, { variable }: StudyRecord): VariableValue {
  const value = variable(name);
  if (value !== undefined) return value;
  throw new InputError(
    `Cannot make table "${table}" as rows are made by variables of the networks and of the measurement, or by fields of a result: "${name}" is none`,
    { input: name },
  );
}

function compare(a: Group, b: Group, ranks: readonly ReadonlyMap<VariableValue, number>[]): number {
  for (const [index, rank] of ranks.entries()) {
    const [left, right] = [at(a.values, index, "value"), at(b.values, index, "value")];
    const order =
      typeof left === "number" && typeof right === "number"
        ? left - right
        : entry(rank, left, "value") - entry(rank, right, "value");
    if (order !== 0) return order;
  }
  return 0;
}

/** Measurements of a table, and the results of their tasks. */
interface MeasuredResults {
  /** Planned measurements that the table shows. */
  readonly measured: readonly PlannedMeasurement[];
  /** Results by key of the task. */
  readonly results: ReadonlyMap<string, object>;
  /** Keys of the columns whose deviations a figure draws. @defaultValue none */
  readonly spread?: readonly string[];
}

/** Paths of the places that results were measured at, by kind of result. */
const PLACES = ["points", "whole.points"] as const;

/** Lists, each once, the examples that results were measured on, and the number of places of each path. */
function listMeasured({ measured, results }: MeasuredResults): readonly StudyMeasured[] {
  const byText = new Map<string, StudyMeasured>();
  for (const { task } of measured) {
    const one = measuredOf(results.get(task));
    if (one !== undefined) byText.set(JSON.stringify(one), one);
  }
  return [...byText.values()];
}

/**
 * Reads the examples, and the number of places, that a result records; undefined if it records no examples.
 */
function measuredOf(result: unknown): StudyMeasured | undefined {
  const [data, examples] = ["data", "examples"].map((name) => followPath(result, name));
  if (typeof data !== "string" || typeof examples !== "number") return undefined;
  const places = PLACES.map((path) => followPath(result, path)).find(Array.isArray);
  return { data, examples, ...(places !== undefined && { points: places.length }) };
}

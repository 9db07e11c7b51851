import { at, entry, InputError } from "@isthmus/core";
import type { VariableValue } from "../description/variable-values.ts";
import type { StudyRecord } from "./collect-records.ts";

interface Group {
  readonly values: readonly VariableValue[];
  readonly records: StudyRecord[];
}

/**
 * Groups records by the values of some variables, ordered by these values: numbers ascending, texts as they
 * first appear.
 * @throws InputError if a record has no such variable
 */
export function groupRecords(
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

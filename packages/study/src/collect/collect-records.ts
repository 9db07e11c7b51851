import { InputError } from "@isthmus/core";
import type { VariableValue } from "@isthmus/forms";
import { fulfils } from "../description/fulfils.ts";
import type { TableDescription } from "../description/table-description.ts";
import type { PlannedMeasurement } from "../plan/planned-measurement.ts";
import { followPath } from "./follow-path.ts";

/** A result, or an entry of a list in one, with the variables that distinguish it from others. */
export interface StudyRecord {
  /**
   * Returns the value of a variable, or of a path into the entry or one around it.
   * @returns undefined if there is none
   */
  variable(name: string): VariableValue | undefined;
  readonly value: unknown;
}

/** An entry of a list, with those around it, the innermost first. */
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
export function collectRecords(
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
 * Lists the entries of the list that a path leads to; of every such list where `*` steps into one on the way.
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

import { InputError } from "@isthmus/core";
import { fulfils } from "../description/fulfils.ts";
import type { VariableValue } from "../description/study-description.ts";
import type { TableDescription } from "../description/table-description.ts";
import type { PlannedMeasurement } from "../measurements/planned-measurement.ts";
import { followPath } from "./follow-path.ts";

/** A result, or an entry of a list in one, with all that tells it from others. */
export interface StudyRecord {
  /**
   * Value of a variable, or of a path into the entry.
   * @returns undefined if there is none
   */
  variable(name: string): VariableValue | undefined;
  readonly value: unknown;
}

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
    const result = results.get(task);
    const values = each === undefined ? [result] : listAt(result, each);
    return values.map((value): StudyRecord => {
      const variable = (name: string) =>
        Object.hasOwn(variables, name) ? variables[name] : textAt(value, name);
      return { variable, value };
    });
  });
  return records.filter(({ variable }) => fulfils(variable, where));
}

function textAt(value: unknown, path: string): VariableValue | undefined {
  const found = followPath(value, path);
  if (Array.isArray(found)) return found.join(", ");
  return typeof found === "string" || typeof found === "number" ? found : undefined;
}

function listAt(result: unknown, path: string): readonly unknown[] {
  const list = followPath(result, path);
  if (Array.isArray(list)) return list;
  throw new InputError(
    `Cannot make a table as "each" must lead to a list in every result: "${path}" does not`,
    {
      input: path,
    },
  );
}

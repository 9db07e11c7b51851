import { listValues, type Repeated } from "@isthmus/forms";
import type {
  MeasurementDescription,
  RepeatedNetwork,
  StudyDescription,
} from "../description/study-description.ts";
import { measuredFor, type StudyPlan } from "../plan/plan-study.ts";
import type { StudyGroup, StudyResult } from "../study-result.ts";
import { collectTable } from "./collect-table.ts";

/**
 * Gathers the results of a study into its tables and figures; the same results give the same bytes of JSON.
 * @param results - of every measurement, by key of the task
 * @throws InputError if a table names what no result has
 */
export function collectStudy(
  description: StudyDescription,
  { measurements }: StudyPlan,
  results: ReadonlyMap<string, object>,
): StudyResult {
  const { title, description: text = "", only, seed = 0, tables, figures = [] } = description;
  return {
    kind: "study",
    title,
    description: text,
    ...(only !== undefined && { only }),
    networks: Object.entries(description.networks).map(([name, repeated]) => describeGroup(name, repeated)),
    measurements: Object.entries(description.measurements).map(([name, repeated]) =>
      describeGroup(name, repeated, measurements[name]?.length),
    ),
    tables: Object.entries(tables).map(([name, table]) =>
      collectTable(name, table, { measured: measuredFor(table, measurements), results }),
    ),
    figures,
    seed,
  };
}

/** Describes a group: what the description says of it, beside the values of its variables. */
function describeGroup(
  name: string,
  { for: ranges = {}, ...settings }: RepeatedNetwork | Repeated<MeasurementDescription>,
  count?: number,
): StudyGroup {
  const lists = Object.entries(ranges).map(
    ([variable, range]) =>
      [variable, listValues({ name: `${name}.for.${variable}`, of: "study" }, range)] as const,
  );
  const combinations = lists.reduce((product, [, values]) => product * values.length, 1);
  return { name, count: count ?? combinations, variables: Object.fromEntries(lists), settings };
}

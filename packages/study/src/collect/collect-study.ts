import type { StudyDescription } from "../description/study-description.ts";
import type { StudyPlan } from "../plan/plan-study.ts";
import type { StudyResult } from "../study-result.ts";
import { collectTable } from "./collect-table.ts";
import { measuredFor } from "./measured-for.ts";

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
  const { title, description: text = "", seed = 0, tables, figures = [] } = description;
  return {
    kind: "study",
    title,
    description: text,
    tables: Object.entries(tables).map(([name, table]) =>
      collectTable(name, table, { measured: measuredFor(table, measurements), results }),
    ),
    figures,
    seed,
  };
}

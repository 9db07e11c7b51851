import type { PlannedMeasurement } from "../plan/plan-measurement.ts";
import type { StudyMeasured } from "../study-result.ts";
import { followPath } from "./follow-path.ts";

/** Where the results of a study are. */
export interface MeasuredResults {
  /** Of the table's measurements. */
  readonly measured: readonly PlannedMeasurement[];
  /** By key of the task. */
  readonly results: ReadonlyMap<string, object>;
}

/** Paths of the places that results were measured at, by kind of result. */
const PLACES = ["points", "whole.points"] as const;

/** Lists, each once, the examples that results were measured on, and the number of places of each path. */
export function listMeasured({ measured, results }: MeasuredResults): readonly StudyMeasured[] {
  const byText = new Map<string, StudyMeasured>();
  for (const { task } of measured) {
    const one = measuredOf(results.get(task));
    if (one !== undefined) byText.set(JSON.stringify(one), one);
  }
  return [...byText.values()];
}

/** Reads what a result says of its examples; undefined if it does not say. */
function measuredOf(result: unknown): StudyMeasured | undefined {
  const [data, examples] = ["data", "examples"].map((name) => followPath(result, name));
  if (typeof data !== "string" || typeof examples !== "number") return undefined;
  const places = PLACES.map((path) => followPath(result, path)).find(Array.isArray);
  return { data, examples, ...(places !== undefined && { points: places.length }) };
}

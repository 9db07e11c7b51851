import type { TableDescription } from "../description/table-description.ts";
import type { PlannedMeasurement } from "../plan/plan-measurement.ts";

/** Results that a table is made of, with the name of their measurement as a variable. */
export function measuredFor(
  { of }: TableDescription,
  measurements: Readonly<Record<string, readonly PlannedMeasurement[]>>,
): readonly PlannedMeasurement[] {
  return [of].flat().flatMap((measurement) =>
    (measurements[measurement] ?? []).map(({ variables, task }) => {
      return { variables: { ...variables, measurement }, task };
    }),
  );
}

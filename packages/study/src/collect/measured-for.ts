import { entry } from "@isthmus/core";
import type { TableDescription } from "../description/table-description.ts";
import type { PlannedMeasurement } from "../plan/planned-measurement.ts";

/** Lists the results that a table is made of, with the name of their measurement as a variable. */
export function measuredFor(
  { of }: TableDescription,
  measurements: Readonly<Record<string, readonly PlannedMeasurement[]>>,
): readonly PlannedMeasurement[] {
  const planned = new Map(Object.entries(measurements));
  return [of].flat().flatMap((measurement) =>
    entry(planned, measurement, "measurement").map(({ variables, task }) => {
      return { variables: { ...variables, measurement }, task };
    }),
  );
}

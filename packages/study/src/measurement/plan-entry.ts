import type { AnyMeasurement } from "@isthmus/findings";
import type { MeasurementContext, PlannedMeasurement } from "../plan/planned-measurement.ts";
import { measurementTask } from "./measurement-task.ts";
import type { AnyEntry } from "./subject-form.ts";
import { subjectFormOf } from "./subject-forms.ts";

/**
 * Plans the tasks of a measurement: one for each subject that its entry selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export function planEntry(
  measurement: AnyMeasurement,
  entry: AnyEntry,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const kind = measurementTask(measurement);
  return subjectFormOf(measurement).plan({ measurement, kind, entry, context });
}

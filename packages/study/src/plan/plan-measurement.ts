import { BARRIER } from "@isthmus/barrier";
import { InputError } from "@isthmus/core";
import { loadMeasurement } from "@isthmus/measurements";
import type { MeasurementDescription } from "../description/study-description.ts";
import type { AnyEntry } from "../measurement/subject-form.ts";
import { subjectFormOf } from "../measurement/subject-forms.ts";
import { planMerge } from "./plan-merge.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/**
 * Plans the tasks of a measurement: one for each subject that its entry selects, or the tasks that merge
 * networks.
 *
 * @throws InputError if its kind is not known, it selects nothing, or the data do not fit the networks
 */
export async function planMeasurement(
  entry: MeasurementDescription,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  if (entry.kind === "merge") return planMerge(entry, context);
  const measurement = entry.kind === "barrier" ? BARRIER : await loadMeasurement(entry.kind);
  if (measurement === undefined) {
    throw new InputError(
      `Cannot plan the study as the kind of a measurement must be known: "${entry.kind}" is not; if it is one of your own, add its file to "use"`,
      { input: entry.kind },
    );
  }
  const { kind, task: name = kind, version } = measurement;
  return subjectFormOf(measurement).plan({
    measurement,
    task: { name, version },
    entry: entry as AnyEntry,
    context,
  });
}

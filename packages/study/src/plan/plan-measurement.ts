import { BARRIER } from "@isthmus/barrier";
import type { AnyMeasurement } from "@isthmus/findings";
import { loadMeasurement } from "@isthmus/measurements";
import type { MeasurementDescription } from "../description/study-description.ts";
import type { BuiltInEntry } from "../measurement/entry.ts";
import type { AnyEntry } from "../measurement/subject-form.ts";
import { subjectFormOf } from "../measurement/subject-forms.ts";
import { planMerge } from "./plan-merge.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/**
 * Plans the tasks of a measurement: one for every pair of networks that it selects, after the alignment of
 * the pair if the measurement asks for one; or for every network by itself; or the tasks that merge networks.
 *
 * @throws InputError if the selection holds no pair, or too few networks, or the data do not fit the networks
 */
export async function planMeasurement(
  entry: MeasurementDescription,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const measurement = await loadMeasurement(entry.kind);
  if (measurement !== undefined) return planEntry(measurement, entry as AnyEntry, context);
  return planWrittenOut(entry as WrittenOut, context);
}

/** A measurement that has no definition yet. */
type WrittenOut = Exclude<MeasurementDescription, BuiltInEntry>;

function planWrittenOut(
  entry: WrittenOut,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  switch (entry.kind) {
    case "merge":
      return planMerge(entry, context);
    case "barrier":
      return planEntry(BARRIER, entry, context);
  }
}

/** Plans a task of a measurement for each subject that an entry selects. */
function planEntry(
  measurement: AnyMeasurement,
  entry: AnyEntry,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { kind, task: name = kind, version } = measurement;
  return subjectFormOf(measurement).plan({ measurement, task: { name, version }, entry, context });
}

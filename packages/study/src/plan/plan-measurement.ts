import { BARRIER } from "@isthmus/barrier";
import { loadMeasurement } from "@isthmus/measurements";
import type { MeasurementDescription } from "../description/study-description.ts";
import type { AnyEntry, BuiltInEntry } from "../measurement/entry.ts";
import { planEntry } from "../measurement/plan-entry.ts";
import { planDimensions } from "./plan-dimensions.ts";
import { planMerge } from "./plan-merge.ts";
import { planPareto } from "./plan-pareto.ts";
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
    case "pareto":
      return planPareto(entry, context);
    case "intrinsic-dimension":
      return planDimensions(entry, context);
    case "barrier":
      return planEntry(BARRIER, entry, context);
  }
}

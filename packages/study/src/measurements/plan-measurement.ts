import type { MeasurementDescription } from "../description/study-description.ts";
import { planBarrier } from "./plan-barrier.ts";
import { planLayers } from "./plan-layers.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/** Plans the tasks of a measurement, by its kind. */
export function planMeasurement(
  entry: MeasurementDescription,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  if (entry.kind === "layers") return planLayers(entry, context);
  return planBarrier(entry, context);
}

import { MEASURE_BARRIER_DEFAULTS } from "@isthmus/barrier";
import type { BarrierMeasurement } from "../description/study-description.ts";
import { measurePair } from "../tasks/measure-pair.ts";
import { planPairs } from "./plan-pairs.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/** Plans the barriers between the pairs of a group. */
export function planBarrier(
  entry: BarrierMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { points, refine, path, statistics, batchSize } = { ...MEASURE_BARRIER_DEFAULTS, ...entry };
  return planPairs(entry, context, {
    kind: measurePair,
    options: { points, refine, path, statistics, batchSize },
  });
}

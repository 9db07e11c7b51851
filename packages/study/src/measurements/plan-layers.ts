import { MEASURE_LAYERS_DEFAULTS } from "@isthmus/barrier";
import type { LayersMeasurement } from "../description/study-description.ts";
import { measurePairLayers } from "../tasks/measure-pair-layers.ts";
import { planPairs } from "./plan-pairs.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/** Plans the barriers of the layers of the pairs of a group. */
export function planLayers(
  entry: LayersMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { groups, orders, points, statistics, predict, directions, batchSize } = {
    ...MEASURE_LAYERS_DEFAULTS,
    ...entry,
  };
  const options = {
    groups,
    orders,
    points,
    statistics,
    predict,
    directions,
    batchSize,
    seed: context.planner.seed,
  };
  return planPairs(entry, context, { kind: measurePairLayers, options });
}

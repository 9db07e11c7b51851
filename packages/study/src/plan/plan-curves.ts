import { defaultsOf } from "@isthmus/core";
import { MEASURE_PATH_FIELDS, TRAIN_CURVE_DEFAULTS } from "@isthmus/curve";
import type { CurveMeasurement } from "../description/path-measurements.ts";
import { type TrainPairCurveParams, trainPairCurve } from "../tasks/train-pair-curve.ts";
import { openJoinedData } from "./open-joined-data.ts";
import { planEachPair } from "./plan-each-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import type { Planner } from "./planner.ts";
import type { PlannedPair } from "./select-networks.ts";
import { trainOptionsOf } from "./train-options.ts";

/**
 * Plans the training of a curve between every pair of networks that a measurement selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export function planCurves(
  entry: CurveMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  return planEachPair(trainPairCurve, entry, context, async (pair) => ({
    params: await curveParams(pair, entry, context.planner),
    label: `train a curve from ${pair.a.label} to ${pair.b.label}, ${entry.data}`,
  }));
}

/** Lists every option that decides the bytes, defaults included. */
async function curveParams(
  { a: { architecture } }: PlannedPair,
  entry: CurveMeasurement,
  planner: Planner,
): Promise<TrainPairCurveParams> {
  const defaults = { ...defaultsOf(MEASURE_PATH_FIELDS), ...TRAIN_CURVE_DEFAULTS };
  const { curve, bends, points, statistics, batchSize } = { ...defaults, ...entry };
  const { epochs, batch, loss, optimizer, schedule } = entry;
  const { params, trainedOn } = await openJoinedData(entry, { architecture, batchSize }, planner);
  const settings = {
    ...{ seed: planner.seed, epochs },
    ...(batch !== undefined && { batch }),
    ...(loss !== undefined && { loss }),
    ...(optimizer !== undefined && { optimizer }),
    ...(schedule !== undefined && { schedule }),
  };
  return {
    ...params,
    options: {
      curve,
      bends,
      points,
      statistics,
      batchSize,
      training: trainOptionsOf(settings, architecture, trainedOn),
    },
  };
}

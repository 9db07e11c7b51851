import { MEASURE_WALKED_PATH_DEFAULTS } from "@isthmus/paths";
import { chooseTrainOptions } from "@isthmus/training";
import type { WalkedPathMeasurement } from "../description/path-measurements.ts";
import { type WalkPairParams, walkPair } from "../tasks/walk-pair.ts";
import { openJoinedData } from "./open-joined-data.ts";
import { planEachPair } from "./plan-each-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import type { Planner } from "./planner.ts";
import type { PlannedPair } from "./select-pairs.ts";

/**
 * Plans a walk between every pair of networks that a measurement selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export function planWalks(
  entry: WalkedPathMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  return planEachPair(walkPair, entry, context, async (pair) => ({
    params: await walkParams(pair, entry, context.planner),
    label: `walk from ${pair.a.label} to ${pair.b.label}, ${entry.data}`,
  }));
}

/** Lists every option that decides the bytes, defaults included. */
async function walkParams(
  { a: { architecture } }: PlannedPair,
  entry: WalkedPathMeasurement,
  planner: Planner,
): Promise<WalkPairParams> {
  const settings = { ...MEASURE_WALKED_PATH_DEFAULTS, ...entry };
  const { moves, trainSteps, learningRate, optimizer, statistics, points, batchSize } = settings;
  const { params, trainedOn } = await openJoinedData(entry, { architecture, batchSize }, planner);
  const { batch, loss } = chooseTrainOptions(
    { graph: architecture, data: trainedOn },
    { batch: entry.batch, optimizer },
  );
  return {
    ...params,
    options: {
      ...{ moves, trainSteps, learningRate, statistics, points },
      ...{ batch, loss, optimizer, batchSize, seed: planner.seed },
    },
  };
}

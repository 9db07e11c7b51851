import { MEASURE_BARRIER_DEFAULTS, MEASURE_LAYERS_DEFAULTS } from "@isthmus/barrier";
import { defaultsOf } from "@isthmus/core";
import { loadMeasurement } from "@isthmus/measurements";
import { DROPOUT_PATH_FIELDS } from "@isthmus/paths";
import type { DropoutPathMeasurement } from "../description/path-measurements.ts";
import type {
  BarrierMeasurement,
  LayersMeasurement,
  MeasurementDescription,
} from "../description/study-description.ts";
import type { AnyEntry, BuiltInEntry } from "../measurement/entry.ts";
import { planEntry } from "../measurement/plan-entry.ts";
import { measurePair } from "../tasks/measure-pair.ts";
import { measurePairLayers } from "../tasks/measure-pair-layers.ts";
import { measurePairPath } from "../tasks/measure-pair-path.ts";
import { planCurves } from "./plan-curves.ts";
import { planDimensions } from "./plan-dimensions.ts";
import { planEach } from "./plan-each.ts";
import { planAttacks, planEnsembles } from "./plan-ensembles.ts";
import { planMerge } from "./plan-merge.ts";
import { planMechanisms, planPairs } from "./plan-pairs.ts";
import { planPareto } from "./plan-pareto.ts";
import { planWalks } from "./plan-walks.ts";
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
    case "curvature":
    case "landscape":
      return planEach(entry, context);
    case "ensemble":
      return planEnsembles(entry, context);
    case "attack":
      return planAttacks(entry, context);
    case "pareto":
      return planPareto(entry, context);
    case "curve":
      return planCurves(entry, context);
    case "mechanisms":
      return planMechanisms(entry, context);
    case "intrinsic-dimension":
      return planDimensions(entry, context);
    case "walked-path":
      return planWalks(entry, context);
    case "dropout-path":
      return planPairs(entry, context, dropoutPathWork(entry, context.planner.seed));
    case "layers":
      return planPairs(entry, context, layersWork(entry, context.planner.seed));
    default:
      return planPairs(entry, context, barrierWork(entry));
  }
}

function barrierWork(entry: BarrierMeasurement) {
  const settings = { ...MEASURE_BARRIER_DEFAULTS, ...entry };
  const { points, refine, path, statistics, temperature, batchSize } = settings;
  const options = { points, refine, path, statistics, batchSize };
  // Only where it is asked for, so that barriers without have the keys they always had.
  return { kind: measurePair, options: temperature ? { ...options, temperature } : options };
}

function layersWork(entry: LayersMeasurement, seed: number) {
  const settings = { ...MEASURE_LAYERS_DEFAULTS, ...entry };
  const { groups, orders, points, statistics, predict, directions, batchSize } = settings;
  const options = { groups, orders, points, statistics, predict, directions, batchSize, seed };
  return { kind: measurePairLayers, options };
}

function dropoutPathWork(entry: DropoutPathMeasurement, seed: number) {
  const settings = { ...defaultsOf(DROPOUT_PATH_FIELDS), ...entry };
  const { choice, rescale, trials, statistics, pointsPerLine, batchSize } = settings;
  return {
    kind: measurePairPath,
    options: { choice, rescale, trials, statistics, pointsPerLine, batchSize, seed },
  };
}

import { BARRIER } from "@isthmus/barrier";
import { defaultsOf } from "@isthmus/core";
import { loadMeasurement } from "@isthmus/measurements";
import { DROPOUT_PATH_FIELDS } from "@isthmus/paths";
import type { DropoutPathMeasurement } from "../description/path-measurements.ts";
import type { MeasurementDescription } from "../description/study-description.ts";
import type { AnyEntry, BuiltInEntry } from "../measurement/entry.ts";
import { planEntry } from "../measurement/plan-entry.ts";
import { measurePairPath } from "../tasks/measure-pair-path.ts";
import { planCurves } from "./plan-curves.ts";
import { planDimensions } from "./plan-dimensions.ts";
import { planEach } from "./plan-each.ts";
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
    case "landscape":
      return planEach(entry, context);
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
    case "barrier":
      return planEntry(BARRIER, entry, context);
  }
}

function dropoutPathWork(entry: DropoutPathMeasurement, seed: number) {
  const settings = { ...defaultsOf(DROPOUT_PATH_FIELDS), ...entry };
  const { choice, rescale, trials, statistics, pointsPerLine, batchSize } = settings;
  return {
    kind: measurePairPath,
    options: { choice, rescale, trials, statistics, pointsPerLine, batchSize, seed },
  };
}

import { MEASURE_MECHANISMS_DEFAULTS } from "@isthmus/mechanisms";
import type { PairSelection } from "../description/pair-selection.ts";
import type { MechanismsMeasurement } from "../description/path-measurements.ts";
import type { PairMeasurement } from "../description/study-description.ts";
import { measurePairMechanisms } from "../tasks/measure-pair-mechanisms.ts";
import type { StudyTaskKind, TaskData } from "../tasks/task-kind.ts";
import { labelOfPair, planEachPair } from "./plan-each-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import { selectPairs } from "./select-pairs.ts";

/** Parameters of a task that measures something on a pair of networks. */
interface PairParams<O> {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: O;
}

/** The kind of task that measures a pair, with the options of every such task of a measurement. */
export interface PairWork<O> {
  readonly kind: StudyTaskKind<PairParams<O>>;
  readonly options: O & { readonly batchSize: number };
}

/**
 * Plans the tasks that measure mechanisms: one for every pair, on all data sets.
 * @throws InputError if the selection holds no pair, or data do not fit the networks
 */
export async function planMechanisms(
  entry: MechanismsMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { points, tolerance, statistics, batchSize } = { ...MEASURE_MECHANISMS_DEFAULTS, ...entry };
  const open = openFitting(entry, context, batchSize);
  const sets: { name: string; data: TaskData }[] = [];
  for (const [name, data] of Object.entries(entry.sets)) sets.push({ name, data: await open(data) });
  const { statisticsData } = entry;
  const params = {
    sets,
    ...(statisticsData !== undefined && { statisticsData: await open(statisticsData) }),
    options: { points, tolerance, statistics, batchSize },
  };
  const on = sets.map(({ name }) => name).join(", ");
  return addPairTasks({ entry, context, kind: measurePairMechanisms, params, on });
}

/**
 * Plans the tasks of a measurement of pairs on one data set.
 * @throws InputError if the selection holds no pair, or data do not fit the networks
 */
export async function planPairs<O>(
  entry: PairSelection & Pick<PairMeasurement, "data" | "statisticsData">,
  context: MeasurementContext,
  { kind, options }: PairWork<O>,
): Promise<readonly PlannedMeasurement[]> {
  const open = openFitting(entry, context, options.batchSize);
  const { statisticsData } = entry;
  const data = await open(entry.data);
  const params: PairParams<O> = {
    data,
    ...(statisticsData !== undefined && { statisticsData: await open(statisticsData) }),
    options,
  };
  return addPairTasks({ entry, context, kind, params, on: data.name });
}

/** Returns what opens examples that must fit the architectures of all selected pairs. */
function openFitting(
  entry: PairSelection,
  { networks, planner }: MeasurementContext,
  batchSize: number,
): (name: string) => Promise<TaskData> {
  const architectures = new Set(selectPairs(networks, entry).map(({ a }) => a.architecture));
  return async (name) => (await planner.openFor(name, { architectures, batchSize })).description;
}

/** What the tasks of all pairs of a measurement share. */
interface PairTasks<P extends object> {
  readonly entry: PairSelection;
  readonly context: MeasurementContext;
  readonly kind: StudyTaskKind<P>;
  readonly params: P;
  /** What they are measured on, for people. */
  readonly on: string;
}

function addPairTasks<P extends object>({
  entry,
  context,
  kind,
  params,
  on,
}: PairTasks<P>): Promise<readonly PlannedMeasurement[]> {
  const { align } = entry;
  return planEachPair(kind, entry, context, (pair) => ({
    params,
    label: labelOfPair(kind.name, pair, align, on),
  }));
}

import type { PairSelection } from "../description/pair-selection.ts";
import type { PairMeasurement } from "../description/study-description.ts";
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
 * Plans the tasks of a measurement of pairs: one for every pair.
 * @throws InputError if the selection holds no pair, or data do not fit the networks
 */
export async function planPairs<O>(
  entry: PairSelection & Pick<PairMeasurement, "data" | "statisticsData">,
  context: MeasurementContext,
  { kind, options }: PairWork<O>,
): Promise<readonly PlannedMeasurement[]> {
  const { networks, planner } = context;
  const architectures = new Set(selectPairs(networks, entry).map(({ a }) => a.architecture));
  const fitting = { architectures, batchSize: options.batchSize };
  const open = async (name: string) => (await planner.openFor(name, fitting)).description;
  const { statisticsData } = entry;
  const data = await open(entry.data);
  const params: PairParams<O> = {
    data,
    ...(statisticsData !== undefined && { statisticsData: await open(statisticsData) }),
    options,
  };
  return planEachPair(kind, entry, context, (pair) => ({
    params,
    label: labelOfPair(kind.name, pair, entry.align, data.name),
  }));
}

import type { PairMeasurement } from "../description/study-description.ts";
import { selectPairs } from "../plan/select-pairs.ts";
import type { TaskData, TaskKind } from "../tasks/task-kind.ts";
import { planPair } from "./plan-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/** What every task on a pair is told. */
interface PairParams<O> {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: O;
}

/** Plans one task for every pair that a measurement is of. */
export async function planPairs<O>(
  entry: PairMeasurement,
  { networks, planner, variables }: MeasurementContext,
  {
    kind,
    options,
  }: { readonly kind: TaskKind<PairParams<O>>; readonly options: O & { readonly batchSize: number } },
): Promise<readonly PlannedMeasurement[]> {
  const pairs = selectPairs(networks, entry);
  const { align = "none", statisticsData } = entry;
  const fitting = {
    architectures: new Set(pairs.map(({ a }) => a.architecture)),
    batchSize: options.batchSize,
  };
  const data = await planner.openFor(entry.data, fitting);
  const params: PairParams<O> = {
    data,
    ...(statisticsData !== undefined && {
      statisticsData: await planner.openFor(statisticsData, fitting),
    }),
    options,
  };
  return pairs.map((pair) => {
    const { key } = planner.add(kind, {
      params,
      inputs: planPair(pair, entry, planner),
      label: `${kind.name} of ${pair.a.label} and ${pair.b.label}${align === "none" ? "" : ", aligned"}, ${data.name}`,
    });
    return { variables: { ...pair.variables, ...variables }, task: key };
  });
}

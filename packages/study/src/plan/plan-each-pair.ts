import type { PairSelection } from "../description/pair-selection.ts";
import type { StudyTaskKind } from "../tasks/task-kind.ts";
import { planAlignment } from "./plan-alignment.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import { type PlannedPair, selectPairs } from "./select-networks.ts";

/** A task that measures or joins one pair of networks. */
interface PairTask<P extends object> {
  readonly params: P;
  /** What is done, for people. */
  readonly label: string;
}

/**
 * Plans one task for every pair of networks that a measurement selects, after the alignment that it asks for.
 * @param taskOf - the parameters and the label of the task of a pair
 * @throws InputError if it selects no pair, and what `taskOf` throws
 */
export async function planEachPair<P extends object>(
  kind: StudyTaskKind<P>,
  entry: PairSelection,
  { groups, planner, variables }: MeasurementContext,
  taskOf: (pair: PlannedPair) => PairTask<P> | Promise<PairTask<P>>,
): Promise<readonly PlannedMeasurement[]> {
  const planned: PlannedMeasurement[] = [];
  for (const pair of selectPairs(groups, entry)) {
    const { params, label } = await taskOf(pair);
    const inputs = await planAlignment(pair, entry, planner);
    const { key } = planner.add(kind, { params, inputs, label });
    planned.push({ variables: { ...pair.variables, ...variables }, task: key });
  }
  return planned;
}

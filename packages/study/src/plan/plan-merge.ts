import { excerpt, InputError } from "@isthmus/core";
import type { Variables } from "@isthmus/forms";
import { MATCH_MANY_DEFAULTS, type ManyMethod } from "@isthmus/weight-matching";
import type { MergeMeasurement } from "../description/merge-measurement.ts";
import { lossOfEntry } from "../measurement/entry-params.ts";
import { matchNetworks, UNIVERSE_FILE } from "../tasks/match-networks.ts";
import { measureEnsemble } from "../tasks/measure-ensemble.ts";
import { mergeNetworks } from "../tasks/merge-networks.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import { filesOfAll, type PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { gatherCells, type NetworkCell, selectNetworks } from "./select-networks.ts";

/** Examples in one engine call. */
const BATCH_SIZE = 100;

/**
 * Plans the tasks that make one prediction of several networks and measure it, after the networks are matched
 * to each other if the measurement asks for it.
 *
 * @throws InputError if there are fewer networks than are to be merged, or data do not fit them
 */
export async function planMerge(
  entry: MergeMeasurement,
  { groups, planner, variables }: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { of, across = "seed", where, batchSize = BATCH_SIZE } = entry;
  const cells = gatherCells(of, selectNetworks(groups, of, where), across).map((cell) =>
    takeMembers(cell, entry),
  );
  const architectures = new Set(
    cells.flatMap(({ members }) => members.map(({ network }) => network.architecture)),
  );
  const fitting = { architectures, batchSize };
  const { description: data } = await planner.openFor(entry.data, fitting);
  const statistics =
    entry.statisticsData === undefined ? undefined : await planner.openFor(entry.statisticsData, fitting);
  const plan = { entry, planner, data, statisticsData: statistics?.description };
  return cells.flatMap((cell) =>
    planCell(cell, plan).map((planned) => {
      return { variables: { ...cell.variables, ...planned.variables, ...variables }, task: planned.task };
    }),
  );
}

/** Takes the first networks of a cell, as many as are merged. */
function takeMembers(
  { variables, members }: NetworkCell,
  { of, across = "seed", count = members.length, many }: MergeMeasurement,
): NetworkCell {
  const least = many === "single" ? 1 : 2;
  if (count >= least && count <= members.length) return { variables, members: members.slice(0, count) };
  throw new InputError(
    `Cannot plan the study as there must be ${Math.max(least, count)} networks "${of}" or more that differ in "${across}" only, for "merge": there are ${members.length}, of which ${count} are to be merged, of ${excerpt(variables, 200)}`,
    { input: of },
  );
}

/** Entry, planner and examples that all tasks of a merge share. */
interface MergePlan {
  readonly entry: MergeMeasurement;
  readonly planner: Planner;
  readonly data: TaskData;
  readonly statisticsData: TaskData | undefined;
}

/** Plans the tasks for networks that differ in one variable only. */
function planCell({ members }: NetworkCell, plan: MergePlan): readonly PlannedMeasurement[] {
  const { many, references = members.length } = plan.entry;
  const networks = members.map(({ network }) => network);
  switch (many) {
    case "single":
      return members.map(({ value, network }) => planMean([network], plan, { member: value }));
    case "ensemble":
      return [planEnsemble(networks, plan)];
    case "naive":
      return [planMean(networks, plan)];
    case "reference":
      return members.slice(0, references).map(({ value }, reference) => {
        const universe = planMatching(networks, plan, { many, reference });
        return planMean(networks, plan, { reference: value }, universe);
      });
    default:
      return [planMean(networks, plan, {}, planMatching(networks, plan, { many, reference: 0 }))];
  }
}

/**
 * Plans the measurement of the mean of networks, which are matched first if `universe` is the key of a task
 * that matches them.
 */
function planMean(
  networks: readonly PlannedNetwork[],
  { entry, planner, data, statisticsData }: MergePlan,
  variables: Variables = {},
  universe?: string,
): PlannedMeasurement {
  const { statistics = "auto", batchSize = BATCH_SIZE } = entry;
  const options = { statistics, batchSize };
  const { key } = planner.add(mergeNetworks, {
    params: { data, ...lossOfEntry(entry), ...(statisticsData !== undefined && { statisticsData }), options },
    inputs: {
      ...filesOfAll(networks),
      ...(universe !== undefined && { universe: [{ task: universe, file: UNIVERSE_FILE }] }),
    },
    label: `merge ${describe(networks, entry, variables)}, statistics ${statistics}, ${data.name}`,
  });
  return { variables, task: key };
}

function planEnsemble(
  networks: readonly PlannedNetwork[],
  { entry, planner, data }: MergePlan,
): PlannedMeasurement {
  const { batchSize = BATCH_SIZE } = entry;
  const { key } = planner.add(measureEnsemble, {
    params: { data, options: { batchSize } },
    inputs: filesOfAll(networks),
    label: `measure ${describe(networks, entry)}, ${data.name}`,
  });
  return { variables: {}, task: key };
}

/** Plans the matching of networks to each other; returns the key of its task. */
function planMatching(
  networks: readonly PlannedNetwork[],
  { entry, planner }: MergePlan,
  { many, reference }: { readonly many: ManyMethod; readonly reference: number },
): string {
  const { restarts = MATCH_MANY_DEFAULTS.restarts } = entry;
  const at = many === "reference" ? { reference } : {};
  return planner.add(matchNetworks, {
    params: { many, reference, restarts, seed: planner.seed },
    inputs: filesOfAll(networks),
    label: `match ${describe(networks, entry, at)}`,
  }).key;
}

/** Describes networks and the way they are merged, for labels. */
function describe(
  networks: readonly PlannedNetwork[],
  { of, many }: MergeMeasurement,
  variables: Variables = {},
): string {
  const particulars = Object.entries(variables).map(([name, value]) => `, ${name} ${value}`);
  return `${networks.length} ${of}, ${many}${particulars.join("")}`;
}

import { ATTACK_DEFAULTS, MEASURE_ATTACK_DEFAULTS } from "@isthmus/ensemble";
import type { TaskInputs } from "@isthmus/tasks";
import type { AttackMeasurement } from "../description/ensemble-measurement.ts";
import { attackNetworks, sourceInput } from "../tasks/attack-networks.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import { gatherCells, type NetworkCell, selectNetworks } from "./network-cells.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import { filesOfAll } from "./planned-network.ts";

/**
 * Plans attacks, one on the networks that differ in one variable only.
 * @throws InputError if there are none, a source has none, or data do not fit them
 */
export async function planAttacks(
  entry: AttackMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { planner, variables } = context;
  const { of, where, across = "seed", batchSize = MEASURE_ATTACK_DEFAULTS.batchSize } = entry;
  const cells = gatherCells(of, selectNetworks(context.networks, of, where), across);
  const sources = Object.entries(entry.sources).map(([name, source]) => ({
    name,
    mode: source.mode ?? ("together" as const),
    networks: selectNetworks(context.networks, source.of, source.where),
  }));
  const data = await opener(context, cells, batchSize)(entry.data);
  const { method = ATTACK_DEFAULTS.method, norm, epsilon, steps, stepSize, randomStart } = entry;
  const chosen = withoutMissing({ method, norm, epsilon, steps, stepSize, randomStart });
  const params = {
    data,
    sources: sources.map(({ name, mode }) => ({ name, mode })),
    options: { ...chosen, batchSize, seed: planner.seed },
  };
  return cells.map((cell) => {
    const targets = cell.members.map(({ network }) => network);
    const { networks: weights = [], ...architecture } = filesOfAll(targets);
    const made: TaskInputs = Object.fromEntries(
      sources.map(({ networks }, index) => [sourceInput(index), networks.map((network) => network.weights)]),
    );
    const { key } = planner.add(attackNetworks, {
      params,
      inputs: { ...architecture, targets: weights, ...made },
      label: `attack ${targets.length} ${of}, ${entry.data}`,
    });
    return { variables: { ...cell.variables, ...variables }, task: key };
  });
}

/** Returns what opens data that must fit the networks of cells. */
function opener(
  { planner }: MeasurementContext,
  cells: readonly NetworkCell[],
  batchSize: number,
): (name: string) => Promise<TaskData> {
  const architectures = new Set(
    cells.flatMap(({ members }) => members.map(({ network }) => network.architecture)),
  );
  return async (name) => (await planner.openFor(name, { architectures, batchSize })).description;
}

/** Returns options without the ones that are missing, for which defaults stand. */
function withoutMissing<T extends object>(
  options: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

import type { AnyMeasurement } from "@isthmus/findings";
import { gatherCells, selectNetworks } from "../plan/network-cells.ts";
import type { MeasurementContext, PlannedMeasurement } from "../plan/planned-measurement.ts";
import { filesOfAll } from "../plan/planned-network.ts";
import { type AttackSelection, sourceInput } from "./attack-selection.ts";
import type { AnyEntry } from "./entry.ts";
import { architecturesOf, paramsOf } from "./entry-params.ts";
import { measurementTask } from "./measurement-task.ts";

/**
 * Plans the measurement of attacks: one on the networks that differ in one variable only.
 * @throws InputError if there are none, a source has none, or data do not fit them
 */
export async function planAttacks(
  measurement: AnyMeasurement,
  entry: AnyEntry & AttackSelection,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { planner, variables, networks: find } = context;
  const { of, where, across = "seed" } = entry;
  const cells = gatherCells(of, selectNetworks(find, of, where), across);
  const chosen = Object.entries(entry.sources).map(([name, source]) => {
    const networks = selectNetworks(find, source.of, source.where);
    return { name, mode: source.mode ?? "together", weights: networks.map(({ weights }) => weights) };
  });
  const params = {
    ...(await paramsOf(measurement, { entry, architectures: architecturesOf(cells), planner })),
    sources: chosen.map(({ name, mode }) => ({ name, mode })),
  };
  const sources = Object.fromEntries(chosen.map(({ weights }, index) => [sourceInput(index), weights]));
  const kind = measurementTask(measurement);
  return cells.map((cell) => {
    const targets = cell.members.map(({ network }) => network);
    const { networks = [], ...architecture } = filesOfAll(targets);
    const { key } = planner.add(kind, {
      params,
      inputs: { ...architecture, targets: networks, ...sources },
      label: `attack ${targets.length} ${of}, ${entry.data}`,
    });
    return { variables: { ...cell.variables, ...variables }, task: key };
  });
}

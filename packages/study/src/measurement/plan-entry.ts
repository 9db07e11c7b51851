import type { AnyMeasurement } from "@isthmus/findings";
import type { NetworkMeasurement } from "../description/network-measurement.ts";
import type { PathMeasurement } from "../description/path-measurements.ts";
import { selectNetworks } from "../plan/network-cells.ts";
import { labelOfPair, planEachPair } from "../plan/plan-each-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "../plan/planned-measurement.ts";
import { filesOf } from "../plan/planned-network.ts";
import { selectPairs } from "../plan/select-pairs.ts";
import type { AttackSelection } from "./attack-selection.ts";
import type { EnsembleSelection } from "./ensemble-selection.ts";
import type { AnyEntry } from "./entry.ts";
import { paramsOf } from "./entry-params.ts";
import { measurementTask } from "./measurement-task.ts";
import { planAttacks } from "./plan-attacks.ts";
import { planEnsembles } from "./plan-ensembles.ts";

/**
 * Plans the tasks of a measurement: one for each subject that its entry selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export async function planEntry(
  measurement: AnyMeasurement,
  entry: AnyEntry,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  if (measurement.subject === "ensemble")
    return planEnsembles(measurement, entry as AnyEntry & EnsembleSelection, context);
  if (measurement.subject === "attack")
    return planAttacks(measurement, entry as AnyEntry & AttackSelection, context);
  const kind = measurementTask(measurement);
  const { networks, planner, variables } = context;
  if (measurement.subject === "pair" || measurement.subject === "unlike-pair") {
    const selection = entry as PathMeasurement;
    const architectures = new Set(selectPairs(networks, selection).map(({ a }) => a.architecture));
    const params = await paramsOf(measurement, { entry, architectures, planner });
    return planEachPair(kind, selection, context, (pair) => ({
      params,
      label: labelOfPair(measurement.kind, pair, selection.align, entry.data),
    }));
  }
  const { of, where } = entry as NetworkMeasurement;
  const selected = selectNetworks(networks, of, where);
  const architectures = new Set(selected.map(({ architecture }) => architecture));
  const params = await paramsOf(measurement, { entry, architectures, planner });
  return selected.map((network) => {
    const label = `${measurement.kind} of ${network.label}, ${entry.data}`;
    const { key } = planner.add(kind, { params, inputs: filesOf(network), label });
    return { variables: { ...network.variables, ...variables }, task: key };
  });
}

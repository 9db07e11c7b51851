import type { AnyMeasurement } from "@isthmus/findings";
import { selectNetworks } from "../plan/network-cells.ts";
import { labelOfPair, planEachPair } from "../plan/plan-each-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "../plan/planned-measurement.ts";
import { filesOf, type PlannedNetwork } from "../plan/planned-network.ts";
import { selectPairs } from "../plan/select-pairs.ts";
import { snapshotsFor } from "../plan/snapshots-before.ts";
import type { AttackSelection } from "./attack-selection.ts";
import type { EnsembleSelection } from "./ensemble-selection.ts";
import type { AnyEntry } from "./entry.ts";
import { openParams } from "./entry-params.ts";
import type { LandscapeSelection } from "./landscape-selection.ts";
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
  const on = "sets" in entry ? Object.keys(entry.sets).join(", ") : entry.data;
  if (!("of" in entry)) {
    const architectures = new Set(selectPairs(networks, entry).map(({ a }) => a.architecture));
    const paramsOf = await openParams(measurement, { entry, architectures, planner });
    return planEachPair(kind, entry, context, (pair) => ({
      params: paramsOf(pair.a.architecture),
      label: labelOfPair(measurement, pair, entry.align, on),
    }));
  }
  const { of, where } = entry;
  const selected = selectNetworks(networks, of, where);
  const architectures = new Set(selected.map(({ architecture }) => architecture));
  const paramsOf = await openParams(measurement, { entry, architectures, planner });
  const alongOf = (network: PlannedNetwork) =>
    snapshotsFor(network, networks(of), (entry as AnyEntry & LandscapeSelection).directions);
  return selected.map((network) => {
    const label = `${measurement.kind} of ${network.label}, ${on}`;
    const params = paramsOf(network.architecture);
    const further = measurement.subject === "landscape" ? alongOf(network) : {};
    const { key } = planner.add(kind, { params, inputs: { ...filesOf(network), ...further }, label });
    return { variables: { ...network.variables, ...variables }, task: key };
  });
}

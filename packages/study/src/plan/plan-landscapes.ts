import { LANDSCAPE_FIELDS, type LandscapeChoice } from "@isthmus/landscape";
import type { TaskInputs } from "@isthmus/tasks";
import type { LandscapeMeasurement } from "../description/network-measurement.ts";
import { keyedOptions } from "../measurement/entry-params.ts";
import { lossOfEntry } from "../schema/measured-loss.ts";
import { measureNetworkLandscape } from "../tasks/measure-network-landscape.ts";
import { selectNetworks } from "./network-cells.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import { filesOf, type PlannedNetwork } from "./planned-network.ts";
import { snapshotsBefore } from "./snapshots-before.ts";

/**
 * Plans the tasks of landscapes, one for each network that the entry selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export async function planLandscapes(
  entry: LandscapeMeasurement,
  { networks, planner, variables }: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { of, where, data, directions } = entry;
  const selected = selectNetworks(networks, of, where);
  const architectures = new Set(selected.map(({ architecture }) => architecture));
  const options = optionsOf(entry, planner.seed);
  const { batchSize = Number(LANDSCAPE_FIELDS.batchSize.default) } = options;
  const { description } = await planner.openFor(data, { architectures, batchSize });
  const snapshotsOf = (network: PlannedNetwork): TaskInputs =>
    directions === "trajectory" || directions === "initialization"
      ? { snapshots: snapshotsBefore(network, networks(of), directions).map(({ weights }) => weights) }
      : {};
  return selected.map((network) => {
    const { key } = planner.add(measureNetworkLandscape, {
      params: { data: description, ...lossOfEntry(entry), options },
      inputs: { ...filesOf(network), ...snapshotsOf(network) },
      label: `landscape of ${network.label}, ${data}`,
    });
    return { variables: { ...network.variables, ...variables }, task: key };
  });
}

/** Returns the options of the tasks of an entry, defaults included. */
function optionsOf(entry: LandscapeMeasurement, seed: number): LandscapeChoice {
  const named = Object.entries(entry).filter(
    ([name, value]) => name in LANDSCAPE_FIELDS && value !== undefined,
  );
  return keyedOptions(LANDSCAPE_FIELDS, new Map<string, unknown>([...named, ["seed", seed]]));
}

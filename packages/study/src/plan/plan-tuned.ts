import type { TunedNetwork } from "../description/tuned-network.ts";
import type { Unfolded } from "../description/unfold.ts";
import { TUNED_FILE, tuneNetwork } from "../tasks/tune-network.ts";
import type { FindNetworks } from "./network-cells.ts";
import { filesOf, type PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { selectStarts } from "./select-starts.ts";
import { trainOptionsOf } from "./train-options.ts";

/**
 * Plans the training that goes on from the networks of another group.
 * @throws InputError if no network of the group agrees with the entry, or the data do not fit
 */
export async function planTuned(
  group: string,
  { variables, entry }: Unfolded<TunedNetwork>,
  { find, planner }: { readonly find: FindNetworks; readonly planner: Planner },
): Promise<readonly PlannedNetwork[]> {
  const { tune, where, data: name, freeze = [], ...settings } = entry;
  const starts = selectStarts(group, find, { from: tune, where, variables });
  return Promise.all(
    starts.map(async (start): Promise<PlannedNetwork> => {
      const { architecture } = start;
      const inputs = architecture.inputs.map((input) => input.name);
      const { data, description } = await planner.open(name, inputs);
      const options = { ...trainOptionsOf(settings, architecture, data), freeze };
      const label = `${start.label}, then ${name}`;
      const { key } = planner.add(tuneNetwork, {
        params: { data: description, options },
        inputs: filesOf(start),
        label: `train ${label}`,
      });
      return {
        ...start,
        variables: { ...start.variables, ...variables },
        label,
        trainedOn: name,
        weights: { task: key, file: TUNED_FILE },
      };
    }),
  );
}

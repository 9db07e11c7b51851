import { resolveOptions } from "@isthmus/core";
import type { Unfolded } from "@isthmus/forms";
import { frozenBelowLastLayer, TUNE_BY_CONNECTIVITY_DEFAULTS } from "@isthmus/mechanisms";
import type { ConnectivityTunedNetwork, TunedNetwork } from "../description/tuned-network.ts";
import { tuneNetworkByConnectivity } from "../tasks/tune-by-connectivity.ts";
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
  const { tune, where, data: name, method = "all", freeze = [], ...settings } = entry;
  const starts = selectStarts(group, find, { from: tune, where, variables });
  return Promise.all(
    starts.map(async (start): Promise<PlannedNetwork> => {
      const { architecture } = start;
      const inputs = architecture.inputs.map((input) => input.name);
      const { data, description } = await planner.open(name, inputs);
      const stays = method === "all" ? freeze : [...freeze, ...frozenBelowLastLayer(architecture)];
      const options = { ...trainOptionsOf(settings, architecture, data), freeze: stays };
      const label = `${start.label}, then ${name}`;
      const { key } = planner.add(tuneNetwork, {
        params: { data: description, options },
        inputs: filesOf(start),
        label: `train ${label}`,
      });
      return tunedNetwork(start, { variables, label, trainedOn: name, task: key });
    }),
  );
}

/**
 * Plans connectivity-based fine-tuning that goes on from the networks of another group.
 * @throws InputError if no network of the group agrees with the entry, or the data do not fit
 */
export async function planConnectivityTuned(
  group: string,
  { variables, entry }: Unfolded<ConnectivityTunedNetwork>,
  { find, planner }: { readonly find: FindNetworks; readonly planner: Planner },
): Promise<readonly PlannedNetwork[]> {
  const { tune, where, method, data: name, cue: cueName, ...rules } = entry;
  const starts = selectStarts(group, find, { from: tune, where, variables });
  return Promise.all(
    starts.map(async (start): Promise<PlannedNetwork> => {
      const inputs = start.architecture.inputs.map((input) => input.name);
      const { description: data } = await planner.open(name, inputs);
      const { description: cue } = await planner.open(cueName, inputs);
      const label = `${start.label}, then ${name} by ${method}`;
      const { key } = planner.add(tuneNetworkByConnectivity, {
        params: { data, cue, options: resolveOptions("tune by connectivity", RULES, rules) },
        inputs: filesOf(start),
        label: `train ${label}`,
      });
      return tunedNetwork(start, { variables, label, trainedOn: name, task: key });
    }),
  );
}

const {
  statePath: _state,
  resume: _resume,
  signal: _signal,
  onProgress: _onProgress,
  ...RULES_WITHOUT_SEED
} = TUNE_BY_CONNECTIVITY_DEFAULTS;
const RULES = { seed: 0, ...RULES_WITHOUT_SEED };

/** Returns the network that a task makes of another one. */
function tunedNetwork(
  start: PlannedNetwork,
  {
    variables,
    task,
    ...names
  }: Pick<PlannedNetwork, "variables" | "label"> & { readonly trainedOn: string; readonly task: string },
): PlannedNetwork {
  return {
    ...start,
    ...names,
    variables: { ...start.variables, ...variables },
    weights: { task, file: TUNED_FILE },
  };
}

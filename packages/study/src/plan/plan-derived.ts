import { InputError } from "@isthmus/core";
import type { Unfolded } from "@isthmus/forms";
import { PRUNE_DEFAULTS, QUANTIZE_DEFAULTS } from "@isthmus/sparsity";
import type { TaskFile } from "@isthmus/tasks";
import type { PrunedStudyNetwork, QuantizedStudyNetwork } from "../description/derived-network.ts";
import { PRUNED_FILE, type PruneNetworkParams, pruneStudyNetwork } from "../tasks/prune-network.ts";
import { QUANTIZED_FILE, quantizeStudyNetwork } from "../tasks/quantize-network.ts";
import type { FindNetworks } from "./network-cells.ts";
import { filesOf, type PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { selectStarts } from "./select-starts.ts";
import { trainOptionsOf } from "./train-options.ts";

/** What planning a group takes. */
interface Planning {
  readonly find: FindNetworks;
  readonly planner: Planner;
}

/**
 * Plans networks of another group without some of their weights.
 * @throws InputError if no network of the group agrees with the entry, the data do not fit, or it says how to
 *   train and not on what
 */
export async function planPruned(
  group: string,
  { variables, entry }: Unfolded<PrunedStudyNetwork>,
  { find, planner }: Planning,
): Promise<readonly PlannedNetwork[]> {
  const { prune, where, sparsity, by = PRUNE_DEFAULTS.by, layers, rewind, data: name, ...settings } = entry;
  if (name === undefined && Object.keys(settings).length > 0) {
    throw new InputError(
      `Cannot plan "networks.${group}" of the study as pruned networks are trained on with "data" alone: it has ${Object.keys(settings).join(", ")} and no data`,
      { input: group },
    );
  }
  const pruning = { sparsity, by, ...(layers && { layers }) };
  const starts = selectStarts(group, find, { from: prune, where, variables });
  return Promise.all(
    starts.map(async (start): Promise<PlannedNetwork> => {
      const label = `${start.label}, pruned to ${sparsity}`;
      const training = name === undefined ? undefined : await trainingOf(name, settings, { start, planner });
      const { key } = planner.add(pruneStudyNetwork, {
        params: { pruning, ...(training && { training }) },
        inputs: {
          ...filesOf(start),
          ...(rewind !== undefined && { rewound: [rewoundOf(group, start, rewind)] }),
        },
        label: `prune ${label}`,
      });
      return {
        ...start,
        variables: { ...start.variables, ...variables },
        label,
        ...(name !== undefined && { trainedOn: name }),
        weights: { task: key, file: PRUNED_FILE },
      };
    }),
  );
}

/** Finds the weights that what stays goes back to. */
function rewoundOf(group: string, { label, rewinds = new Map() }: PlannedNetwork, epoch: number): TaskFile {
  const file = rewinds.get(epoch);
  if (file !== undefined) return file;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as "rewind" must be one of the snapshots of ${label}, ${[...rewinds.keys()].join(", ") || "which has none as it was not trained here"}: it is ${epoch}; add it to "snapshots"`,
    { input: group },
  );
}

async function trainingOf(
  name: string,
  settings: Omit<PrunedStudyNetwork, "prune" | "sparsity">,
  { start, planner }: { readonly start: PlannedNetwork; readonly planner: Planner },
): Promise<NonNullable<PruneNetworkParams["training"]>> {
  const { architecture } = start;
  const { data, description } = await planner.open(
    name,
    architecture.inputs.map((input) => input.name),
  );
  const options = trainOptionsOf({ seed: 0, epochs: 1, ...settings }, architecture, data);
  return { data: description, options };
}

/**
 * Plans networks of another group with their weights on a grid.
 * @throws InputError if no network of the group agrees with the entry
 */
export function planQuantized(
  group: string,
  { variables, entry }: Unfolded<QuantizedStudyNetwork>,
  { find, planner }: Planning,
): readonly PlannedNetwork[] {
  const { quantize, where } = entry;
  const { bits = QUANTIZE_DEFAULTS.bits, scheme = QUANTIZE_DEFAULTS.scheme } = entry;
  return selectStarts(group, find, { from: quantize, where, variables }).map((start) => {
    const label = `${start.label}, ${bits} bits`;
    const { key } = planner.add(quantizeStudyNetwork, {
      params: { bits, scheme },
      inputs: filesOf(start),
      label: `quantise ${label}`,
    });
    return {
      ...start,
      variables: { ...start.variables, ...variables },
      label,
      weights: { task: key, file: QUANTIZED_FILE },
    };
  });
}

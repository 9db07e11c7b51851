import { InputError } from "@isthmus/core";
import {
  COLLECT_NETWORKS_DEFAULTS,
  type CollectMethod,
  type CollectRates,
  planCollection,
  resolveRates,
  SIMPLEX_VERTICES_DEFAULTS,
} from "@isthmus/ensemble";
import type { Unfolded, Variables } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { stepsUntil, TRAIN_DEFAULTS } from "@isthmus/training";
import type {
  CollectedStudyNetwork,
  CollectionMethod,
  ScatteredStudyNetwork,
} from "../description/collected-network.ts";
import {
  type CollectStudyNetworksParams,
  collectedFile,
  collectStudyNetworks,
  MEAN_FILE,
} from "../tasks/collect-networks.ts";
import { SCATTERED_FILE, scatterStudyNetwork } from "../tasks/scatter-network.ts";
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

/** Networks of `posterior`, as `bootstrapPosterior` draws them. */
const MEMBERS = 5;

/**
 * Plans the networks that are collected from networks of another group.
 * @throws InputError if no network of the group agrees with the entry, the data do not fit, or options do not
 *   belong to the method
 */
export async function planCollected(
  group: string,
  { variables, entry }: Unfolded<CollectedStudyNetwork>,
  { find, planner }: Planning,
): Promise<readonly PlannedNetwork[]> {
  const { collect, where, data: name, method, keep = "networks" } = entry;
  assertBelongs(group, entry);
  const planned: PlannedNetwork[] = [];
  for (const start of selectStarts(group, find, { from: collect, where, variables })) {
    const { architecture } = start;
    const { data, description } = await planner.open(
      name,
      architecture.inputs.map((input) => input.name),
    );
    const { params, count } = planParams(entry, start, data);
    const label = `${start.label}, ${method}`;
    const { key } = planner.add(collectStudyNetworks, {
      params: { data: description, ...params },
      inputs: filesOf(start),
      label: `collect from ${label}`,
    });
    const network = (file: string, more: Variables = {}): PlannedNetwork => ({
      ...start,
      variables: { ...start.variables, ...variables, ...more },
      label: [label, ...Object.values(more)].join(" "),
      trainedOn: name,
      start: start.weights,
      weights: { task: key, file },
    });
    if (keep === "mean") {
      planned.push(network(MEAN_FILE));
      continue;
    }
    const first = { ...start, variables: { ...start.variables, ...variables, member: 0 } };
    if (method === "spro") planned.push(first);
    for (let member = 1; member <= count; member++) planned.push(network(collectedFile(member), { member }));
  }
  return planned;
}

/** Options that belong to networks along a training, and to networks one after another. */
const BELONGING = {
  along: ["learningRate", "lowRate", "cycle", "keep"],
  single: ["members", "concentration", "volume", "schedule"],
} as const;

const isAlong = (method: CollectionMethod): method is CollectMethod =>
  method !== "posterior" && method !== "spro";

function assertBelongs(group: string, entry: CollectedStudyNetwork): void {
  const { method } = entry;
  const others = isAlong(method)
    ? BELONGING.single
    : [...BELONGING.along, method === "posterior" ? ("volume" as const) : ("concentration" as const)];
  const wrong = others.find((option) => entry[option] !== undefined);
  if (wrong === undefined) return;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as "${wrong}" does not belong to networks by ${method}: leave it out`,
    { input: group },
  );
}

/** Lists every option that decides the bytes, defaults included, and counts the networks. */
function planParams(
  entry: CollectedStudyNetwork,
  { architecture }: PlannedNetwork,
  data: DataSet,
): { readonly params: Omit<CollectStudyNetworksParams, "data">; readonly count: number } {
  const { method, epochs, learningRate, lowRate, cycle } = entry;
  const { members, concentration = 0, volume = SIMPLEX_VERTICES_DEFAULTS.volume } = entry;
  if (isAlong(method)) {
    const rates = resolveRates(method, { epochs, learningRate, lowRate, cycle });
    const { schedule: _, epochs: __, ...options } = trainingOf(entry, { architecture, data, rates });
    const { batch = TRAIN_DEFAULTS.batch, remainder = TRAIN_DEFAULTS.remainder } = options;
    const steps = stepsUntil(rates.epochs, { examples: data.size, batch, remainder });
    const { lowRate: low, ...others } = rates;
    return {
      params: { method, rates: { ...others, ...(low !== undefined && { lowRate: low }) }, options },
      count: planCollection(method, rates, steps).steps.length,
    };
  }
  const count = members ?? (method === "spro" ? SIMPLEX_VERTICES_DEFAULTS.members : MEMBERS);
  const options = trainingOf(entry, { architecture, data });
  const chosen = method === "spro" ? { volume } : { concentration };
  return { params: { method, members: count, ...chosen, options }, count };
}

function trainingOf(
  { seed, epochs = TRAIN_DEFAULTS.epochs, batch, loss, optimizer, schedule, augment }: CollectedStudyNetwork,
  {
    architecture,
    data,
    rates,
  }: {
    readonly architecture: PlannedNetwork["architecture"];
    readonly data: DataSet;
    readonly rates?: CollectRates;
  },
): CollectStudyNetworksParams["options"] {
  const usual = rates === undefined ? undefined : COLLECT_NETWORKS_DEFAULTS.optimizer;
  const update = optimizer ?? usual;
  const settings = {
    ...{ seed, epochs: rates?.epochs ?? epochs },
    ...(batch !== undefined && { batch }),
    ...(loss !== undefined && { loss }),
    ...(update !== undefined && { optimizer: update }),
    ...(schedule !== undefined && { schedule }),
    ...(augment !== undefined && { augment }),
  };
  return trainOptionsOf(settings, architecture, data);
}

/**
 * Plans a network in a random direction for every network of another group.
 * @throws InputError if no network of the group agrees with the entry, or one was not collected from another
 */
export async function planScattered(
  group: string,
  { variables, entry }: Unfolded<ScatteredStudyNetwork>,
  { find, planner }: Planning,
): Promise<readonly PlannedNetwork[]> {
  const { scatter, where, seed, data: name } = entry;
  const planned: PlannedNetwork[] = [];
  for (const network of selectStarts(group, find, { from: scatter, where, variables })) {
    if (network.start === undefined) {
      throw new InputError(
        `Cannot plan "networks.${group}" of the study as networks "${scatter}" must be collected from others, to be as far from them: ${network.label} is not`,
        { input: group },
      );
    }
    const inputs = network.architecture.inputs.map((input) => input.name);
    const label = `${network.label}, in a random direction`;
    const { key } = planner.add(scatterStudyNetwork, {
      params: { data: (await planner.open(name, inputs)).description, seed, number: planned.length },
      inputs: { ...filesOf(network), start: [network.start] },
      label: `make ${label}`,
    });
    planned.push({
      ...network,
      variables: { ...network.variables, ...variables },
      label,
      weights: { task: key, file: SCATTERED_FILE },
    });
  }
  return planned;
}

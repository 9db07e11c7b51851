import { digestFile, excerpt, InputError, resolveOptions } from "@isthmus/core";
import { type Unfolded, unfold, type Variables } from "@isthmus/forms";
import { type DataSet, type Graph, readGraph } from "@isthmus/graph";
import { FIND_STAR_DEFAULTS } from "@isthmus/star-domain";
import { chooseTrainOptions, TRAIN_DEFAULTS } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { fulfils } from "../description/fulfils.ts";
import type {
  LoadedNetwork,
  NetworkDescription,
  RepeatedNetwork,
  StarNetwork,
  TrainedNetwork,
} from "../description/study-description.ts";
import { type FindStarNetworkParams, findStarNetwork, STAR_FILE } from "../tasks/find-star-network.ts";
import { GRAPH_FILE, type TrainNetworkParams, trainNetwork, weightsFile } from "../tasks/train-network.ts";
import { describeNetwork } from "./describe-network.ts";
import type { FindNetworks } from "./network-cells.ts";
import { planCollected, planScattered } from "./plan-collected.ts";
import { planPruned, planQuantized } from "./plan-derived.ts";
import { planTickets } from "./plan-tickets.ts";
import { planConnectivityTuned, planTuned } from "./plan-tuned.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { agree } from "./select-pairs.ts";
import { trainOptionsOf } from "./train-options.ts";

/**
 * Plans all networks of a group.
 * @throws InputError if a network cannot be built for its data, a file is missing, or a star has no anchors
 */
export async function planNetworks(
  group: string,
  repeated: RepeatedNetwork,
  planning: Planning,
): Promise<readonly PlannedNetwork[]> {
  const networks: PlannedNetwork[] = [];
  for (const unfolded of unfold<NetworkDescription>({ name: `networks.${group}`, of: "study" }, repeated))
    networks.push(...(await planEntry(group, unfolded, planning)));
  return networks;
}

/** Groups that stand before, and what collects tasks. */
interface Planning {
  readonly find: FindNetworks;
  readonly planner: Planner;
}

async function planEntry(
  group: string,
  { variables, entry }: Unfolded<NetworkDescription>,
  planning: Planning,
): Promise<readonly PlannedNetwork[]> {
  if ("star" in entry) return [await planStar(group, { variables, entry }, planning)];
  if ("tune" in entry) {
    return entry.method === "cbft"
      ? planConnectivityTuned(group, { variables, entry }, planning)
      : planTuned(group, { variables, entry }, planning);
  }
  if ("prune" in entry) return planPruned(group, { variables, entry }, planning);
  if ("quantize" in entry) return planQuantized(group, { variables, entry }, planning);
  if ("tickets" in entry) return planTickets(group, { variables, entry }, planning.planner);
  if ("collect" in entry) return planCollected(group, { variables, entry }, planning);
  if ("scatter" in entry) return planScattered(group, { variables, entry }, planning);
  if ("net" in entry) return planTraining(group, { variables, entry }, planning.planner);
  return [await planLoading(variables, entry)];
}

async function planLoading(
  variables: Variables,
  { graph, checkpoint, exportedFrom }: LoadedNetwork,
): Promise<PlannedNetwork> {
  const { graph: architecture } = await readGraph(graph);
  return {
    variables,
    label: checkpoint,
    architecture,
    graph: { path: graph, digest: await digestFile(graph) },
    weights: { path: checkpoint, digest: await digestFile(checkpoint) },
    ...(exportedFrom !== undefined && {
      exportedFrom: { path: exportedFrom, digest: await digestFile(exportedFrom) },
    }),
  };
}

/**
 * Plans the search for a star.
 * @throws InputError if fewer than two anchors have the star's values of variables
 */
async function planStar(
  group: string,
  { variables, entry }: Unfolded<StarNetwork>,
  { find, planner }: Planning,
): Promise<PlannedNetwork> {
  const anchors = find(entry.star);
  const agreeing = anchors.filter(
    (anchor) =>
      agree(variables, anchor.variables) && fulfils((name) => anchor.variables[name], entry.where ?? {}),
  );
  const [first] = agreeing;
  if (first === undefined || agreeing.length < 2) {
    throw new InputError(
      `Cannot plan "networks.${group}" of the study as a star must have two anchors or more: of "${entry.star}" ${agreeing.length} agree with ${excerpt(variables, 200)}`,
      { input: group },
    );
  }
  const { data, description } = await planner.open(entry.data);
  const start =
    entry.net === undefined ? undefined : await describeNetwork(parseNetwork(entry.net, data), entry.seed);
  const label = [
    `star of ${agreeing.length} ${entry.star}`,
    ...Object.entries(variables).map((pair) => pair.join(" ")),
  ].join(", ");
  const params: FindStarNetworkParams = {
    data: description,
    ...(start !== undefined && { start }),
    options: starOptionsOf(entry, first.architecture, data),
  };
  const { key } = planner.add(findStarNetwork, {
    params,
    inputs: {
      graph: [first.graph],
      anchors: agreeing.map(({ weights }) => weights),
      ...(first.exportedFrom !== undefined && { exportedFrom: [first.exportedFrom] }),
    },
    label: `find the ${label}`,
  });
  const { rewinds: _, ...like } = first;
  return { ...like, variables, label, trainedOn: entry.data, weights: { task: key, file: STAR_FILE } };
}

/** Lists every option that decides the bytes, defaults included. */
function starOptionsOf(
  { star: _, where: ____, net: __, data: ___, ...settings }: StarNetwork,
  graph: Graph,
  data: DataSet,
): FindStarNetworkParams["options"] {
  const { epochs, remainder, optimizer } = TRAIN_DEFAULTS;
  const chosen = chooseTrainOptions({ graph, data }, settings);
  const { rays, alignEvery, restarts, statisticsExamples } = FIND_STAR_DEFAULTS;
  const training = { epochs, remainder, optimizer, ...chosen };
  const search = { rays, alignEvery, restarts, statisticsExamples };
  return resolveOptions("find a star", { seed: 0, ...training, ...search }, { ...settings, ...chosen });
}

/**
 * Plans the training of a network, which gives one planned network for every snapshot.
 * @throws InputError if it cannot be built for its data, or the snapshots are not among its epochs
 */
async function planTraining(
  group: string,
  { variables, entry }: Unfolded<TrainedNetwork>,
  planner: Planner,
): Promise<readonly PlannedNetwork[]> {
  const { net, data: name, snapshots: _, ...settings } = entry;
  const snapshots = snapshotsOf(group, entry);
  const { data, description } = await planner.open(name);
  const network = parseNetwork(net, data);
  const params: TrainNetworkParams = {
    network: await describeNetwork(network, entry.seed),
    data: description,
    snapshots,
    options: trainOptionsOf(settings, network.graph, data),
  };
  const label = `${network.spec} seed ${entry.seed}`;
  const { key } = planner.add(trainNetwork, { params, inputs: {}, label: `train ${label}` });
  const rewinds = new Map(snapshots.map((epochs) => [epochs, { task: key, file: weightsFile(epochs) }]));
  return snapshots.map((epochs) => ({
    rewinds,
    variables: withEpochs(group, variables, epochs),
    label: snapshots.length === 1 ? label : `${label} epoch ${epochs}`,
    architecture: network.graph,
    trainedOn: name,
    graph: { task: key, file: GRAPH_FILE },
    weights: { task: key, file: weightsFile(epochs) },
  }));
}

/** Adds the variable `epochs`, which the group may have itself if its value is the same. */
function withEpochs(group: string, variables: Variables, epochs: number): Variables {
  const value = variables["epochs"] ?? epochs;
  if (value === epochs) return { ...variables, epochs };
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as its variable "epochs" must be the epochs that are trained: it is ${value}, and they are ${epochs}; give it another name`,
    { input: group },
  );
}

function snapshotsOf(group: string, { epochs, snapshots = [epochs] }: TrainedNetwork): readonly number[] {
  let last = -1;
  const ascending = snapshots.every((snapshot) => {
    const before = last;
    last = snapshot;
    return snapshot > before;
  });
  if (ascending && snapshots.length > 0 && last <= epochs) return snapshots;
  throw new InputError(
    `Cannot plan "networks.${group}" of the study as its snapshots must be numbers of epochs from 0 to ${epochs}, ascending: they are [${snapshots.join(", ")}]`,
    { input: group },
  );
}

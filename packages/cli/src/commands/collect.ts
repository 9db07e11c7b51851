import { rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Checkpoint, describeMaking, InputError, saveCheckpoint } from "@isthmus/core";
import {
  type CollectResult,
  collectNetworks,
  collectOneByOne,
  isOneByOne,
  SIMPLEX_VERTICES_DEFAULTS,
} from "@isthmus/ensemble";
import type { DataSet } from "@isthmus/graph";
import {
  assertNetworkOptions,
  type NetworkToTrain,
  openExamples,
  openNetwork,
  openTrainingData,
  planNetwork,
} from "@isthmus/zoo";
import {
  addCollectOptions,
  type CollectRequest,
  collectionOptions,
  oneByOneOptions,
  readCollection,
} from "../collect/collect-options.ts";
import {
  assertNoNetworks,
  countNetworks,
  createFolderStore,
  type FolderStore,
} from "../collect/folder-store.ts";
import { formatPairs } from "../format/format-table.ts";
import { openEngine } from "../open/open-engine.ts";
import { readingOf } from "../open/reading-of.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { followTraining } from "../training/follow-training.ts";
import { formatEpochs } from "../training/format-training.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus collect`. */
export function collectVerb(run: RunVerb): CommandUnknownOpts {
  const command = addCollectOptions(
    createVerb("collect", HELP_GROUPS.done).argument(
      "<network>",
      "the trained network to go on from: a file, or a folder",
    ),
  );
  return command.addHelpText("after", EXAMPLES).action((path, options) =>
    run(options, (context) => {
      const choice = readCollection(command, options);
      return collect(path, { choice, options }, context);
    }),
  );
}

const EXAMPLES = formatExamples(
  [
    "isthmus collect a.safetensors --graph a.onnx --data mnist -o swa",
    "the mean of the weights along 10 more epochs: swa/mean.safetensors",
  ],
  [
    "isthmus collect a.safetensors --graph a.onnx --data mnist --method fge --epochs 8 --cycle 2 -o fge --resume",
    "networks for an ensemble; start it again after an interruption and it goes on where it was",
  ],
  [
    "isthmus collect a.safetensors --graph a.onnx --data mnist --method lgv -o lgv",
    "40 networks around one, from which adversarial examples transfer: isthmus attack --in-turn 'lgv/net-*.safetensors'",
  ],
  [
    "isthmus collect a.safetensors --graph a.onnx --data mnist --method spro --members 4 -o simplex",
    "a simplex of low loss around one: isthmus ensemble 'simplex/net-*.safetensors' --simplex-members 20",
  ],
);

async function collect(path: string, request: CollectRequest, context: Context): Promise<Outcome> {
  const { options } = request;
  const opening = { ...options, from: path };
  assertNetworkOptions(opening);
  const folder = options.output;
  const stats = await stat(folder).catch(() => undefined);
  if (stats !== undefined && !stats.isDirectory()) {
    throw new InputError(`Cannot collect networks in "${folder}" as it must be a folder: it is a file`, {
      input: folder,
    });
  }
  if (!options.resume) await assertNoNetworks(folder);
  const state = join(folder, "collect.state.safetensors");
  return withTrainingLock({ state, output: folder }, async () => {
    const reading = await readingOf(opening, context);
    const { read, context: dataContext } = await planNetwork(reading);
    const { data } = await openTrainingData({ ...reading, evalData: "none" }, dataContext);
    const { statisticsData: named } = options;
    const statisticsData = named === undefined ? undefined : await openExamples(named, dataContext, reading);
    const network = await openNetwork(reading, { data, read });
    try {
      return await collectInto({ folder, state, network, data, statisticsData }, request, context);
    } finally {
      await network.close();
    }
  });
}

interface Collection {
  readonly folder: string;
  readonly state: string;
  readonly network: NetworkToTrain;
  readonly data: DataSet;
  readonly statisticsData: DataSet | undefined;
}

async function collectInto(
  { folder, state, network, data, statisticsData }: Collection,
  request: CollectRequest,
  context: Context,
): Promise<Outcome> {
  const { options } = request;
  const { graph, weights } = network;
  const { method, seed, resume = false } = options;
  const making = { verb: "collect", ...context.maker, method, data: data.name, seed };
  const metadata = describeMaking([weights], making);
  const store = createFolderStore(folder, network, metadata);
  try {
    if (isOneByOne(method)) {
      return await trainInto({ folder, network, data, store, method }, request, context);
    }
    const { mean, result } = await followTraining({ verb: "collect", state }, context, async (following) =>
      collectNetworks({ graph, engine: await openEngine(options, context) }, weights, data, {
        ...collectionOptions(request, { graph, data }),
        statisticsData,
        store,
        resume,
        ...following,
      }),
    );
    const outputs = [...store.paths];
    if (mean !== undefined) outputs.push(await saveMean(mean, { folder, network, metadata }, context));
    await rm(state, { force: true });
    return {
      result: { network: network.name, from: weights.source, data: data.name, ...result, outputs },
      text: formatCollection(result, store, outputs),
    };
  } finally {
    await store.close();
  }
}

/** Trains networks one after another; networks that an interrupted run has left are not trained again. */
async function trainInto(
  { folder, network, data, store, method }: OneByOne,
  request: CollectRequest,
  context: Context,
): Promise<Outcome> {
  const { signal, progress } = context;
  const { graph, weights } = network;
  const architecture = { graph, engine: await openEngine(request.options, context) };
  const options = oneByOneOptions(method, request, { graph, data });
  const { members } = options;
  const skip = await countNetworks(folder);
  const { networks: all } = await collectOneByOne(architecture, weights, data, {
    ...options,
    store,
    kept: skip,
    keepsStart: true,
    signal,
    onProgress: ({ finished, networks, step, steps }) =>
      progress(`Network ${finished + 1} of ${networks}`, (finished + step / steps) / networks),
  });
  const outputs = Array.from({ length: all }, (_, index) => store.pathOf(index));
  const { concentration = 0, volume = SIMPLEX_VERTICES_DEFAULTS.volume } = request.choice;
  const chosen = method === "posterior" ? { concentration } : { volume };
  const from = { network: network.name, from: weights.source, data: data.name };
  return {
    result: { ...from, method, members, ...chosen, outputs },
    text: formatPairs([
      ["method", method],
      ...(skip === 0 ? [] : [["went on", `after ${Math.min(skip, all)} of ${all}`] as const]),
      ["wrote", outputs.join(", ")],
    ]),
  };
}

/** Folder, start and examples of networks that are trained one after another. */
type OneByOne = Pick<Collection, "folder" | "network" | "data"> & {
  readonly store: FolderStore;
  readonly method: "posterior" | "spro";
};

async function saveMean(
  mean: Checkpoint,
  {
    folder,
    network,
    metadata,
  }: Pick<Collection, "folder" | "network"> & { readonly metadata: Record<string, string> },
  { signal }: Context,
): Promise<string> {
  const target = join(folder, "mean.safetensors");
  const { path } = await saveCheckpoint(network.restore(mean), target, { metadata, overwrite: true, signal });
  return path;
}

function formatCollection(
  { method, collectedAt, averaged, training }: CollectResult,
  { paths }: FolderStore,
  outputs: readonly string[],
): string {
  const last = collectedAt.length - 1;
  const [from = "", to = ""] = [paths[0], paths[last]];
  const mean = outputs.slice(paths.length);
  return `${formatEpochs(training)}\n\n${formatPairs([
    ["method", method],
    [
      "collected",
      `${collectedAt.length}, after steps ${collectedAt[0]} to ${collectedAt[last]} of ${training.steps}`,
    ],
    ...(averaged === undefined ? [] : [["mean", `of ${averaged} networks`] as const]),
    ["wrote", [last === 0 ? from : `${from} to ${basename(to)}`, ...mean].join(", ")],
  ])}`;
}

import { at, type Checkpoint, openCheckpoint } from "@isthmus/core";
import {
  COLLECTION_FIELDS,
  type CollectionChoice,
  type CollectionCost,
  type CollectionMethod,
  type CollectRates,
  collectNetworks,
  collectOneByOne,
  isOneByOne,
  membersOf,
  type NetworkStore,
} from "@isthmus/ensemble";
import type { Architecture, DataSet } from "@isthmus/graph";
import { join } from "@isthmus/platform";
import { pathOf } from "@isthmus/tasks";
import * as z from "zod";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { StudyTaskKind, TaskData } from "../tasks/task-kind.ts";
import { TASK_DATA } from "../tasks/task-schema.ts";
import { makingTask, type TaskMaking } from "./making-task.ts";
import { TRAINING_PARAMS, type TrainingParams } from "./training-shape.ts";

/** Parameters of a task that collects networks. */
export interface CollectParams extends Pick<CollectionChoice, "members" | "concentration" | "volume"> {
  /** Examples to train on. */
  readonly data: TaskData;
  /** Method by which networks are collected. */
  readonly method: CollectionMethod;
  /**
   * Rates of a method that collects networks along a training; missing if networks are trained one after
   * another.
   */
  readonly rates?: Omit<CollectRates, "lowRate"> & { readonly lowRate?: number };
  /** Options of the training, beside the rates. */
  readonly options: TrainingParams;
}

/** Returns the name of the file of a collected network, by its number from 1. */
export const collectedFile = (member: number): string => `net-${String(member).padStart(3, "0")}.safetensors`;

/** File of the mean of the weights of networks along a training. */
export const MEAN_FILE = "mean.safetensors";

const { method, epochs, learningRate, lowRate, cycle, ...single } = COLLECTION_FIELDS;
const rates = shapeOfFields({ epochs, learningRate, lowRate, cycle }, ["epochs", "learningRate", "cycle"]);

/**
 * Task that collects networks from one network. It goes on from the state, or after the networks, that an
 * interrupted run left.
 */
export const COLLECT_TASK: StudyTaskKind<CollectParams> = makingTask<CollectParams>({
  name: "collect",
  version: 1,
  params: z.strictObject({
    ...shapeOfFields({ method, ...single }, ["method"]),
    data: TASK_DATA,
    rates: z.strictObject(rates).optional(),
    options: TRAINING_PARAMS,
  }),
  async make(making, params) {
    const { architecture, inputNames, networks } = await making.open([pathOf(making.inputs, "network")]);
    const { network, restore, reread } = at(networks, 0, "network");
    const data = await making.openData(params.data.name, inputNames);
    const open: Checkpoint[] = [];
    const store: NetworkStore = {
      save: (index, collected) => making.save(collectedFile(index + 1), restore(collected)),
      async open(index) {
        const checkpoint = await openCheckpoint(join(making.folder, collectedFile(index + 1)));
        open.push(checkpoint);
        return reread(checkpoint);
      },
    };
    const job = { making, architecture, network, data, store };
    try {
      const cost = isOneByOne(params.method)
        ? await trainOneByOne(job, { ...params, method: params.method })
        : await collectAlong(job, { ...params, method: params.method }, (mean) =>
            making.save(MEAN_FILE, restore(mean)),
          );
      return { method: params.method, data: data.name, seed: params.options.seed, ...cost };
    } finally {
      for (const checkpoint of open) await checkpoint.close();
    }
  },
});

interface CollectionJob {
  readonly making: TaskMaking;
  readonly architecture: Architecture;
  readonly network: Checkpoint;
  readonly data: DataSet;
  readonly store: NetworkStore;
}

type ParamsOf<M> = CollectParams & { readonly method: M };

async function collectAlong(
  { making, architecture, network, data, store }: CollectionJob,
  { method: along, rates: chosen, options }: ParamsOf<Exclude<CollectionMethod, "posterior" | "spro">>,
  saveMean: (mean: Checkpoint) => Promise<void>,
): Promise<CollectionCost> {
  const { networks, mean, result } = await collectNetworks(architecture, network, data, {
    ...options,
    ...chosen,
    method: along,
    mean: true,
    store,
    ...making.resuming,
  });
  if (mean !== undefined) await saveMean(mean);
  return { networks: networks.length, steps: result.training.steps };
}

/** Trains networks one after another, after the ones that an interrupted run has left. */
async function trainOneByOne(
  { making: { signal, onProgress }, architecture, network, data, store }: CollectionJob,
  { method: single, concentration, volume, options, ...params }: ParamsOf<"posterior" | "spro">,
): Promise<CollectionCost> {
  const members = membersOf(single, params.members);
  const { networks, steps } = await collectOneByOne(architecture, network, data, {
    ...options,
    method: single,
    members,
    concentration,
    volume,
    store,
    kept: await countMade(store, members),
    signal,
    onProgress: (progress) =>
      onProgress((progress.finished + progress.step / progress.steps) / progress.networks),
  });
  return { networks, steps: steps * networks };
}

/** Counts the networks that an interrupted run has left, from the first up to the first that is missing. */
async function countMade(store: NetworkStore, members: number): Promise<number> {
  for (let made = 0; made < members; made++) {
    if ((await store.open(made).catch(() => undefined)) === undefined) return made;
  }
  return members;
}

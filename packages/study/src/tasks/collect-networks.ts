import { rm } from "node:fs/promises";
import { join } from "node:path";
import { at, type Checkpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import {
  bootstrapPosterior,
  type CollectRates,
  collectNetworks,
  type NetworkStore,
  simplexVertices,
} from "@isthmus/ensemble";
import { amount, positive, repeats, schemaOf, takesParams, tries } from "@isthmus/forms";
import type { Architecture, DataSet } from "@isthmus/graph";
import { pathOf } from "@isthmus/tasks";
import type { AugmentOptions } from "@isthmus/training";
import { AUGMENT } from "@isthmus/training/forms";
import { z } from "zod";
import { COLLECTION_METHODS, type CollectionMethod } from "../description/collected-network.ts";
import { TRAINING_FIELDS, type TrainingOptions } from "../schema/shared-fields.ts";
import { openNetworks } from "./open-networks.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How networks are collected. */
export interface CollectStudyNetworksParams {
  readonly data: TaskData;
  readonly method: CollectionMethod;
  /** Of networks along a training. */
  readonly rates?: Omit<CollectRates, "lowRate"> & { readonly lowRate?: number };
  /** Of networks one after another. */
  readonly members?: number;
  readonly concentration?: number;
  readonly volume?: number;
  readonly options: TrainingOptions & { readonly augment?: AugmentOptions };
}

/** File of a collected network, from 1. */
export const collectedFile = (member: number): string => `net-${String(member).padStart(3, "0")}.safetensors`;

/** File of the mean of the weights of networks along a training. */
export const MEAN_FILE = "mean.safetensors";

const PARAMS = schemaOf<CollectStudyNetworksParams>()(
  z.strictObject({
    data: TASK_DATA,
    method: z.enum(COLLECTION_METHODS),
    rates: z
      .strictObject({
        epochs: repeats(1),
        learningRate: positive,
        lowRate: amount.optional(),
        cycle: positive,
      })
      .optional(),
    members: tries(1).optional(),
    concentration: amount.optional(),
    volume: amount.optional(),
    options: z.strictObject({ ...TRAINING_FIELDS, augment: AUGMENT.optional() }),
  }),
);

/** Collects networks of one; goes on from the state, or after the networks, that an interrupted run left. */
export const collectStudyNetworks: StudyTaskKind<CollectStudyNetworksParams> = {
  name: "collect",
  version: 1,
  ...takesParams("collect", PARAMS),
  async run({ engine, openData, folder, signal, onProgress }, params, inputs) {
    const { graph, networks, close } = await openNetworks(inputs, [pathOf(inputs, "network")], engine);
    const open: Checkpoint[] = [];
    try {
      const { network, restore, reread } = at(networks, 0, "network");
      const data = await openData(
        params.data.name,
        graph.inputs.map(({ name }) => name),
      );
      const store: NetworkStore = {
        async save(index, collected) {
          await saveCheckpoint(restore(collected), join(folder, collectedFile(index + 1)), {
            overwrite: true,
          });
        },
        async open(index) {
          const checkpoint = await openCheckpoint(join(folder, collectedFile(index + 1)));
          open.push(checkpoint);
          return reread(checkpoint);
        },
      };
      const saveMean = async (mean: Checkpoint) => {
        await saveCheckpoint(restore(mean), join(folder, MEAN_FILE), { overwrite: true });
      };
      const job = { architecture: { graph, engine }, network, data, store, folder, signal, onProgress };
      const steps = await (params.rates === undefined
        ? collectOneByOne(job, params)
        : collectAlong(job, params, saveMean));
      const { method, options } = params;
      return { kind: "collect", method, data: data.name, seed: options.seed, ...steps };
    } finally {
      for (const checkpoint of [...open]) await checkpoint.close();
      await close();
    }
  },
};

interface CollectionJob {
  readonly architecture: Architecture;
  readonly network: Checkpoint;
  readonly data: DataSet;
  readonly store: NetworkStore;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/** What a collection cost: all steps, and the networks that they gave. */
interface CollectionCost {
  readonly networks: number;
  readonly steps: number;
}

async function collectAlong(
  { architecture, network, data, store, folder, signal, onProgress }: CollectionJob,
  { method, rates, options }: CollectStudyNetworksParams,
  saveMean: (mean: Checkpoint) => Promise<void>,
): Promise<CollectionCost> {
  const statePath = join(folder, "state.safetensors");
  const { networks, mean, result } = await collectNetworks(architecture, network, data, {
    ...options,
    ...rates,
    method: method as Exclude<CollectionMethod, "posterior" | "spro">,
    mean: true,
    ...{ store, statePath, resume: true, signal },
    onProgress: ({ step, steps }) => onProgress(step / steps),
  });
  if (mean !== undefined) await saveMean(mean);
  await rm(statePath, { force: true });
  return { networks: networks.length, steps: result.training.steps };
}

/** Trains networks one after another; the ones that an interrupted run has left are not trained again. */
async function collectOneByOne(
  { architecture, network, data, store, signal, onProgress }: CollectionJob,
  { method, members = 1, concentration, volume, options }: CollectStudyNetworksParams,
): Promise<CollectionCost> {
  const made = await openMade(store, members);
  let finished = made.length;
  let steps = 0;
  const training = {
    ...options,
    members,
    signal,
    onProgress: (at: { readonly step: number; readonly steps: number }) => {
      steps = at.steps;
      onProgress((finished + at.step / at.steps) / members);
    },
  };
  const keep = async (member: Checkpoint) => {
    await store.save(finished, member);
    finished += 1;
  };
  if (method === "posterior") {
    const drawn = { ...training, skip: finished, ...(concentration !== undefined && { concentration }) };
    for await (const member of bootstrapPosterior(architecture, network, data, drawn)) await keep(member);
  } else {
    const trained = { ...training, made, ...(volume !== undefined && { volume }) };
    for await (const vertex of simplexVertices(architecture, [network], data, trained))
      await keep(vertex.network);
  }
  return { networks: members, steps: steps * members };
}

/** Opens the networks that an interrupted run has left, without gaps. */
async function openMade(store: NetworkStore, members: number): Promise<readonly Checkpoint[]> {
  const made: Checkpoint[] = [];
  while (made.length < members) {
    const next = await store.open(made.length).catch(() => undefined);
    if (next === undefined) break;
    made.push(next);
  }
  return made;
}

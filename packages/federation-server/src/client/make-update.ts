import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Checkpoint,
  composeCheckpoint,
  createRandom,
  openCheckpoint,
  readJsonFile,
  saveCheckpoint,
  saveFile,
} from "@isthmus/core";
import { drawSecret, isLocal, privatizeUpdate } from "@isthmus/federated/rounds";
import { createEvaluator } from "@isthmus/graph";
import { type BaseOptimizerSpec, LEARNING_RATES, type TrainOptions, train } from "@isthmus/training";
import { hashFile } from "../store/hash-file.ts";
import { fileSize } from "../store/read-pieces.ts";
import type { WorkingClient } from "./working-client.ts";

/** An update that was made: where it lies, and what is said of it. */
export interface MadeUpdate {
  readonly path: string;
  readonly hash: string;
  readonly examples: number;
  /** Mean loss of the round's network on the client's examples. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What an update is made for. */
interface RoundTask {
  readonly round: number;
  /** SHA-256 of the network to begin with. */
  readonly network: string;
}

/** Paths of a client's files. */
const pathsOf = (folder: string) => ({
  global: join(folder, "global.safetensors"),
  ownLayers: join(folder, "own.safetensors"),
  update: join(folder, "update.safetensors"),
  made: join(folder, "update.json"),
  final: join(folder, "final.safetensors"),
});

/**
 * Trains the network of a round on the client's examples, and writes the layers that are shared as the
 * update, and the others for the client's next round. What was made before for the same round is used as it
 * is.
 */
export async function makeUpdate(client: WorkingClient, task: RoundTask): Promise<MadeUpdate> {
  const paths = pathsOf(client.folder);
  const made = await readMade(paths, task);
  if (made !== undefined) return made;
  await client.api.download(task.network, paths.global);
  const opened = [await openCheckpoint(paths.global)];
  try {
    const ownLayers = await openOwn(paths.ownLayers);
    if (ownLayers !== undefined) opened.push(ownLayers);
    const start = joined(opened[0] as Checkpoint, ownLayers);
    const { loss, error } = await evaluate(client, start);
    const { weights, result } = await train(client, start, client.data, trainOptions(client, task.round));
    const keptSet = new Set(client.about.keep);
    const names = [...weights.tensors.keys()];
    const sent = await privatized(client, start, weights, { round: task.round, names });
    // The mark goes first, as it must not stand beside the bytes of another round.
    await rm(paths.made, { force: true });
    await saveCheckpoint(
      pick(
        sent,
        names.filter((name) => !keptSet.has(name)),
      ),
      paths.update,
      { overwrite: true },
    );
    if (ownLayers !== undefined) await ownLayers.close();
    const keptNames = names.filter((name) => keptSet.has(name));
    if (keptNames.length > 0)
      await saveCheckpoint(pick(weights, keptNames), paths.ownLayers, { overwrite: true });
    const metrics = { accuracy: 1 - error, trainedLoss: result.loss };
    const update = { hash: await hashFile(paths.update), examples: client.data.size, loss, metrics };
    await saveFile(paths.made, JSON.stringify({ ...task, ...update }));
    return { path: paths.update, ...update };
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
  }
}

/**
 * Returns what is sent of a network: with noise of the client's own where the federation asks for it. The
 * noise is drawn once, as an update that was made is sent as it is.
 */
async function privatized(
  { about: { privacy, keep, client } }: WorkingClient,
  start: Checkpoint,
  weights: Checkpoint,
  { round, names }: { readonly round: number; readonly names: readonly string[] },
): Promise<Checkpoint> {
  if (privacy === null || !isLocal(privacy)) return weights;
  const shared = names.filter((name) => !keep.includes(name));
  return privatizeUpdate(start, weights, { privacy, names: shared, seed: drawSecret(), round, client });
}

/** Reads what was made for the very same round, as when the connection or the process was lost after it. */
async function readMade(paths: ReturnType<typeof pathsOf>, task: RoundTask): Promise<MadeUpdate | undefined> {
  if ((await fileSize(paths.made)) === 0) return undefined;
  const made = (await readJsonFile(paths.made)) as RoundTask & Omit<MadeUpdate, "path">;
  const { round, network, ...update } = made;
  return round === task.round && network === task.network ? { path: paths.update, ...update } : undefined;
}

/** Opens the layers that the client kept to itself in an earlier round. */
async function openOwn(path: string): Promise<Checkpoint | undefined> {
  return (await fileSize(path)) === 0 ? undefined : openCheckpoint(path);
}

/** Returns the global network with the client's own layers in it. */
function joined(network: Checkpoint, ownLayers: Checkpoint | undefined): Checkpoint {
  const places = [...network.tensors.keys()].map((name) => {
    return [name, { checkpoint: ownLayers?.tensors.has(name) ? ownLayers : network, name }] as const;
  });
  return composeCheckpoint(new Map(places), { source: network.source, metadata: network.metadata });
}

function pick(network: Checkpoint, names: readonly string[]): Checkpoint {
  const places = names.map((name) => [name, { checkpoint: network, name }] as const);
  return composeCheckpoint(new Map(places), { source: network.source });
}

async function evaluate({ graph, engine, data, signal }: WorkingClient, network: Checkpoint) {
  const evaluator = await createEvaluator({ graph, engine }, data);
  try {
    return await evaluator.evaluate(network, signal);
  } finally {
    await evaluator.release();
  }
}

/** Returns how to train: as the client chose, else as the server suggests. */
function trainOptions({ about, training, seed, signal, tell }: WorkingClient, round: number): TrainOptions {
  const advice = about.training;
  const kind = training.optimizer ?? advice.optimizer;
  const optimizer: BaseOptimizerSpec = kind === "sgd" ? { kind, momentum: advice.momentum } : { kind };
  const advised = kind === advice.optimizer ? advice.learningRate : null;
  const batch = training.batch ?? advice.batch ?? undefined;
  return {
    seed: createRandom(seed, `${about.client} in round ${round}`).integer(2 ** 32),
    epochs: training.epochs ?? advice.epochs,
    ...(batch === undefined ? {} : { batch }),
    optimizer,
    schedule: { kind: "constant", learningRate: training.learningRate ?? advised ?? LEARNING_RATES[kind] },
    signal,
    onProgress: ({ done }) => tell({ kind: "training", round, done }),
  };
}

/** Writes the last global network, with the layers that the client kept to itself; returns its path. */
export async function saveFinal({ api, folder }: WorkingClient, network: string): Promise<string> {
  const paths = pathsOf(folder);
  await api.download(network, paths.global);
  const [global, ownLayers] = [await openCheckpoint(paths.global), await openOwn(paths.ownLayers)];
  try {
    await saveCheckpoint(joined(global, ownLayers), paths.final, { overwrite: true });
    return paths.final;
  } finally {
    await global.close();
    await ownLayers?.close();
  }
}

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Checkpoint,
  composeCheckpoint,
  createRandom,
  digestFile,
  openCheckpoint,
  readJsonFile,
  saveCheckpoint,
  saveFile,
} from "@isthmus/core";
import { drawSecret, isLocal, type PrivacyDescription, privatizeUpdate } from "@isthmus/federated";
import { createEvaluator } from "@isthmus/graph";
import { type BaseOptimizerSpec, LEARNING_RATES, type TrainOptions, train } from "@isthmus/training";
import { fileSize } from "../store/read-pieces.ts";
import { evaluatedNetwork } from "../work/evaluated-network.ts";
import type { WorkingClient } from "./working-client.ts";

/** An update that was made: the path of its file, and the claim about it. */
export interface MadeUpdate {
  /** Path of the file with the shared layers, `*.safetensors`. */
  readonly path: string;
  /** SHA-256 of the bytes of the file, in hexadecimal. */
  readonly hash: string;
  /** Number of the client's examples. */
  readonly examples: number;
  /** Mean loss of the round's network on the client's examples. */
  readonly loss: number;
  /** Further numbers: the accuracy before training if the loss has errors, and `trainedLoss`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Round and network for which an update is made. */
interface RoundTask {
  readonly round: number;
  /** SHA-256 of the network that training begins with. */
  readonly network: string;
}

/**
 * The record of the last update, which is written once all files that it names are on the disk. A client
 * that was killed before continues from the record of the round before, and makes the very same update
 * again.
 */
interface UpdateRecord extends RoundTask, Omit<MadeUpdate, "path"> {
  /** Name of the file with the shared layers. */
  readonly update: string;
  /** Name of the file with the layers that the client kept to itself; null if it keeps none. */
  readonly own: string | null;
  /**
   * Name of the file with the own layers that training began with; null or missing if it began with none.
   */
  readonly ownBefore?: string | null;
  /** Number of trainings for the round, above 1 if an earlier update was refused; missing for one. */
  readonly trainings?: number;
  /** Privacy of the federation when the update was made; null if it had none. */
  readonly privacy: PrivacyDescription | null;
}

/** Paths of a client's files whose names are always the same. */
const pathsOf = (folder: string) => ({
  global: join(folder, "global.safetensors"),
  record: join(folder, "update.json"),
  final: join(folder, "final.safetensors"),
});

/**
 * Pattern of the names of files of rounds, also of the hidden ones of a process that was killed while it
 * wrote; a record names the files that are in use.
 */
const ROUND_FILE = /^\.?(update|own)\.\d+\.[\da-f]+(\.\d+)?\.safetensors(\..+\.tmp)?$/;

/** Returns the names of the files for a training of a round, to which no other one writes. */
function namesFor({ round, network }: RoundTask, training: number) {
  const ending = training === 1 ? "" : `.${training}`;
  const stem = `${round}.${network.slice(0, 16)}${ending}.safetensors`;
  return { update: `update.${stem}`, own: `own.${stem}` };
}

/**
 * Trains the network of a round on the client's examples, and writes the layers that are shared as the
 * update, and the other layers for the client's next round. An update that was made before for the same
 * round is used again, unless it was refused: then the client trains anew, with the examples in another
 * order.
 */
export async function makeUpdate(
  client: WorkingClient,
  task: RoundTask,
  { anew }: { readonly anew: boolean } = { anew: false },
): Promise<MadeUpdate> {
  const { folder, api, about, data } = client;
  const paths = pathsOf(folder);
  const before = await readRecord(folder);
  const isMade = before !== undefined && isFor(before, task, about.privacy);
  if (isMade && !anew) return madeOf(before, folder);
  const training = isMade ? 1 + (before.trainings ?? 1) : 1;
  const ownBefore = (isMade ? before.ownBefore : before?.own) ?? null;
  await api.download(task.network, paths.global);
  const global = await openCheckpoint(paths.global);
  const opened = [global];
  try {
    const ownLayers = await openOwn(folder, ownBefore);
    if (ownLayers !== undefined) opened.push(ownLayers);
    const start = joined(global, ownLayers);
    const { loss, ...others } = evaluatedNetwork(await evaluate(client, start));
    const { weights, result } = await train(client, start, data, trainOptions(client, task.round, training));
    const keptSet = new Set(about.keep);
    const names = [...weights.tensors.keys()];
    const sent = await privatized(client, start, weights, { round: task.round, names });
    const files = namesFor(task, training);
    const save = (name: string, part: Checkpoint) =>
      saveCheckpoint(part, join(folder, name), { overwrite: true, durable: true });
    await save(
      files.update,
      pick(
        sent,
        names.filter((name) => !keptSet.has(name)),
      ),
    );
    const ownNames = names.filter((name) => keptSet.has(name));
    if (ownNames.length > 0) await save(files.own, pick(weights, ownNames));
    const metrics = { ...others, trainedLoss: result.loss };
    const record: UpdateRecord = {
      ...task,
      hash: await digestFile(join(folder, files.update)),
      examples: data.size,
      loss,
      metrics,
      update: files.update,
      own: ownNames.length > 0 ? files.own : null,
      ownBefore,
      trainings: training,
      privacy: about.privacy,
    };
    await saveFile(paths.record, JSON.stringify(record));
    await removeOthers(folder, record);
    return madeOf(record, folder);
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
  }
}

/**
 * Returns the network that is sent: clipped and with noise of the client if the federation asks for it. Each
 * update has only one draw of noise: once its record is written, the same bytes are sent every time, and
 * before that nothing is sent.
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

/** Reads the record of the last update; undefined before the first. */
async function readRecord(folder: string): Promise<UpdateRecord | undefined> {
  const { record } = pathsOf(folder);
  return (await fileSize(record)) === 0 ? undefined : ((await readJsonFile(record)) as UpdateRecord);
}

/**
 * Returns whether an update was made for the very same round, as after a lost connection or a killed
 * process, and with the noise that the federation asks for.
 */
const isFor = (
  { round, network, privacy: before }: UpdateRecord,
  task: RoundTask,
  privacy: PrivacyDescription | null,
): boolean =>
  round === task.round && network === task.network && JSON.stringify(before) === JSON.stringify(privacy);

function madeOf({ hash, examples, loss, metrics, update }: UpdateRecord, folder: string): MadeUpdate {
  return { path: join(folder, update), hash, examples, loss, metrics };
}

/** Removes the files of other rounds, and files that a killed process left behind. */
async function removeOthers(folder: string, { update, own, ownBefore }: UpdateRecord): Promise<void> {
  for (const name of await readdir(folder)) {
    if (ROUND_FILE.test(name) && ![update, own, ownBefore].includes(name))
      await rm(join(folder, name), { force: true });
  }
}

/** Opens the layers that the client kept to itself in an earlier round. */
async function openOwn(folder: string, name: string | null): Promise<Checkpoint | undefined> {
  return name === null ? undefined : openCheckpoint(join(folder, name));
}

/**
 * Returns a global network with the layers that the client kept to itself in place of the layers of the
 * global network.
 */
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

/** Returns the options of training: the client's choices, else the suggestions of the server. */
function trainOptions(
  { about, training, seed, signal, tell }: WorkingClient,
  round: number,
  number: number,
): TrainOptions {
  const advice = about.training;
  const kind = training.optimizer ?? advice.optimizer;
  const optimizer: BaseOptimizerSpec = kind === "sgd" ? { kind, momentum: advice.momentum } : { kind };
  const advised = kind === advice.optimizer ? advice.learningRate : null;
  const batch = training.batch ?? advice.batch ?? undefined;
  const again = number === 1 ? "" : `, training ${number}`;
  return {
    seed: createRandom(seed, `${about.client} in round ${round}${again}`).integer(2 ** 32),
    epochs: training.epochs ?? advice.epochs,
    ...(batch === undefined ? {} : { batch }),
    optimizer,
    schedule: { kind: "constant", learningRate: training.learningRate ?? advised ?? LEARNING_RATES[kind] },
    ...(advice.proximal > 0 && { proximal: { mu: advice.proximal } }),
    signal,
    onProgress: ({ done }) => tell({ kind: "training", round, done }),
  };
}

/** Writes the last global network, with the layers that the client kept to itself; returns its path. */
export async function saveFinal({ api, folder }: WorkingClient, network: string): Promise<string> {
  const paths = pathsOf(folder);
  await api.download(network, paths.global);
  const [global, ownLayers] = [
    await openCheckpoint(paths.global),
    await openOwn(folder, (await readRecord(folder))?.own ?? null),
  ];
  try {
    await saveCheckpoint(joined(global, ownLayers), paths.final, { overwrite: true });
    return paths.final;
  } finally {
    await global.close();
    await ownLayers?.close();
  }
}

import { rm } from "node:fs/promises";
import { type Checkpoint, digestFile, isIsthmusError, openCheckpoint } from "@isthmus/core";
import {
  alignTargetOf,
  type ClientUpdate,
  type PrivacyReport,
  type PrivacyState,
  resolveStrategy,
  type SecureServerState,
  type Seed,
  type StrategyDescription,
  saveAggregate,
  spendRound,
} from "@isthmus/federated";
import type { Graph } from "@isthmus/graph";
import { readArchitecture } from "@isthmus/zoo";
import { describeFault, faultOf, type KnownFile } from "../store/known-file.ts";
import { publish } from "../store/store.ts";
import { completed } from "./complete-update.ts";
import { namesTreated } from "./names-treated.ts";
import { type BrokenSum, openSummedUpdate, type SummedUpdate } from "./summed-update.ts";

/** Inputs of the aggregation of a round, with files in place of networks. */
export interface AggregateRequest {
  /** Global network before the round. */
  readonly network: KnownFile;
  /** Updates of the round, in the order of the clients' names. */
  readonly updates: readonly {
    readonly client: string;
    readonly examples: number;
    readonly loss?: number | undefined;
    readonly staleness: number;
    /** File of the update, with the hash that it had when it was checked. */
    readonly file: KnownFile;
    /** The network that the client began with. */
    readonly base: KnownFile;
  }[];
  /** Strategy by which updates are aligned and aggregated. */
  readonly strategy: StrategyDescription;
  /** Path of the graph, for strategies that depend on the architecture; `null` if there is none. */
  readonly graph: string | null;
  /** Number of the aggregation, from 1, without counting failed rounds. */
  readonly step: number;
  /** Seed of alignments and of rules that draw random numbers. */
  readonly seed: number;
  /** State that the aggregation before left; `null` if it left none. */
  readonly state: KnownFile | null;
  /** The secure sum of the round, with all messages exchanged; `null` if updates are not masked. */
  readonly secure: SecureServerState | null;
  /** Names of the tensors that clients keep to themselves. */
  readonly keep: readonly string[];
  /** Privacy state of a private federation, and the seed of its noise. */
  readonly privacy: {
    readonly state: PrivacyState | undefined;
    readonly noiseSeed: Seed | undefined;
  };
  /** Paths to write to. */
  readonly output: { readonly network: string; readonly state: string; readonly models: string };
}

/** Result of the aggregation of a round: a network, or the reason why there is no usable network. */
export type AggregatedRound =
  | {
      /** Tag of a round that has a new network. */
      readonly kind: "aggregated";
      /** SHA-256 of the new network, which is the name of its file. */
      readonly hash: string;
      /** SHA-256 of the state for the next aggregation; `null` if there is none. */
      readonly state: string | null;
      /** Report of a private round; undefined if the round is not private. */
      readonly privacy: PrivacyReport | undefined;
    }
  | {
      /**
       * `failed`: the result has numbers that cannot be used. `lost`: the file of an update is not the one
       * that was checked.
       */
      readonly kind: "failed" | "lost";
      /** Reason why there is no usable network, for people. */
      readonly reason: string;
      /** Report of a private round, which spends privacy although it failed. */
      readonly privacy: PrivacyReport | undefined;
    }
  /** The secure sum cannot be opened: the round must begin again. */
  | {
      /** Tag of a secure sum that failed. */
      readonly kind: "broken";
      /** Reason why the sum cannot be opened, for people. */
      readonly reason: string;
    }
  /**
   * The file of a network, or of the state that the aggregation before left, is missing or has other bytes.
   */
  | {
      /** Tag of damaged files, after which the server must not go on. */
      readonly kind: "damaged";
      /** Description of the damaged file, with its path. */
      readonly reason: string;
    };

/** Largest number of bytes of ranges that are held at once; the bytes of the result do not depend on it. */
const MEMORY = 16 * 2 ** 20;

/**
 * Aggregates a round; the result has the same bytes every time, so that a server that was killed may repeat
 * it.
 */
export async function aggregateRound(
  request: AggregateRequest,
  signal: AbortSignal,
): Promise<AggregatedRound> {
  const { strategy, output, step, seed, privacy } = request;
  const opened: Checkpoint[] = [];
  const closers: (() => Promise<void>)[] = [];
  const open = async (path: string): Promise<Checkpoint> => {
    const checkpoint = await openCheckpoint(path);
    opened.push(checkpoint);
    return checkpoint;
  };
  const damage = await damageOf(request);
  if (damage !== undefined) return { kind: "damaged", reason: damage };
  const spent = () => strategy.privacy && spendRound(strategy.privacy, privacy.state);
  const loss = await lossOf(request);
  if (loss !== undefined) return { kind: "lost", reason: loss, privacy: spent() };
  try {
    const network = await open(request.network.path);
    const graph = request.graph === null ? undefined : (await readArchitecture(request.graph)).graph;
    const resolved = resolveStrategy(graph, network, strategy);
    const keeps = namesTreated(resolved.treatments, "keep");
    const sum = await openSumIfAsked(network, request);
    if (sum !== undefined && "broken" in sum) return { kind: "broken", reason: sum.broken };
    if (sum !== undefined) closers.push(sum.close);
    const updates = sum === undefined ? await openUpdates(network, request, { keeps, open }) : [sum.update];
    const aligned = await alignIfAsked({ graph, network, updates }, request, signal);
    const state = request.state === null ? undefined : await open(request.state.path);
    const { report, state: left } = await saveAggregate(network, aligned, output, {
      ...resolved,
      state,
      round: step,
      seed,
      signal,
      privacyState: privacy.state,
      noiseSeed: privacy.noiseSeed,
      memory: MEMORY,
    });
    const hash = await digestFile(output.network);
    await publish(output.network, `${output.models}/${hash}.safetensors`);
    const carried = left === undefined ? null : await digestFile(left);
    return { kind: "aggregated", hash, state: carried, privacy: report.privacy };
  } catch (error) {
    await rm(output.network, { force: true });
    if (!isIsthmusError(error, "DivergenceError")) throw error;
    return { kind: "failed", reason: error.message, privacy: spent() };
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
    for (const close of closers) await close();
  }
}

/** Says what is wrong with the files from before the round; returns undefined if nothing is. */
async function damageOf({ network, state, updates }: AggregateRequest): Promise<string | undefined> {
  const bases = new Map([network, ...updates.map(({ base }) => base)].map((file) => [file.path, file]));
  for (const file of [...bases.values(), ...(state === null ? [] : [state])]) {
    const fault = await describeFault(file);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Says which client's update is not the one that was checked; returns undefined if all are. */
async function lossOf({ updates }: AggregateRequest): Promise<string | undefined> {
  for (const { client, file } of updates) {
    const fault = await faultOf(file);
    if (fault === undefined) continue;
    return `Cannot aggregate the update of "${client}" as its file must have the bytes that were checked, those of SHA-256 ${file.hash}: ${fault}`;
  }
  return undefined;
}

/** Opens the updates of a round one by one. */
async function openUpdates(
  network: Checkpoint,
  request: AggregateRequest,
  {
    keeps,
    open,
  }: { readonly keeps: ReadonlySet<string>; readonly open: (path: string) => Promise<Checkpoint> },
): Promise<readonly ClientUpdate[]> {
  const updates: ClientUpdate[] = [];
  for (const { file, base, ...update } of request.updates) {
    const began = base.path === request.network.path ? undefined : await open(base.path);
    updates.push({ ...update, network: completed(await open(file.path), network, keeps), base: began });
  }
  return updates;
}

/** Opens the sum of masked updates; returns undefined if updates are not masked. */
async function openSumIfAsked(
  network: Checkpoint,
  { secure, keep, updates }: AggregateRequest,
): Promise<SummedUpdate | BrokenSum | undefined> {
  if (secure === null) return undefined;
  const masked = updates.map(({ client, file }) => ({ client, path: file.path }));
  return openSummedUpdate(network, { secure, keep, updates: masked });
}

interface Aligning {
  readonly graph: Graph | undefined;
  readonly network: Checkpoint;
  readonly updates: readonly ClientUpdate[];
}

/** Aligns updates if the strategy asks for it; only this step needs an engine. */
async function alignIfAsked(
  { graph, network, updates }: Aligning,
  { strategy: { align }, seed }: AggregateRequest,
  signal: AbortSignal,
): Promise<readonly ClientUpdate[]> {
  if (align === undefined || graph === undefined) return updates;
  const { alignUpdates } = await import("@isthmus/weight-matching");
  const { createOnnxRuntimeEngine } = await import("@isthmus/engine");
  const architecture = { graph, engine: createOnnxRuntimeEngine() };
  const options = { to: alignTargetOf(align), seed, signal };
  return (await alignUpdates(architecture, network, updates, options)).updates;
}

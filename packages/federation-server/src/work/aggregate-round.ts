import { rm } from "node:fs/promises";
import { type ByteSource, type Checkpoint, digestFile, isIsthmusError, openSafetensors } from "@isthmus/core";
import {
  alignTargetOf,
  type ClientUpdate,
  type PrivacyReport,
  type PrivacyState,
  resolveStrategy,
  type SavedAggregate,
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
import { createRoundFiles, type RoundFiles } from "./round-files.ts";
import { type BrokenSum, openSummedUpdate } from "./summed-update.ts";

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
 * it. Updates are read once: if one turns out to have other bytes than when it was checked, the result is
 * removed.
 */
export async function aggregateRound(
  request: AggregateRequest,
  signal: AbortSignal,
): Promise<AggregatedRound> {
  const { strategy, output, privacy } = request;
  const damage = await damageOf(request);
  if (damage !== undefined) return { kind: "damaged", reason: damage };
  const spent = () => strategy.privacy && spendRound(strategy.privacy, privacy.state);
  const files = createRoundFiles();
  const remove = async (): Promise<void> => {
    for (const path of [output.network, output.state]) await rm(path, { force: true });
  };
  const lost = async (): Promise<AggregatedRound | undefined> => {
    const reason = await lossOf(request, files);
    if (reason === undefined) return undefined;
    await remove();
    return { kind: "lost", reason, privacy: spent() };
  };
  try {
    const saved = await saveRound(request, files, signal);
    const loss = await lost();
    if (loss !== undefined) return loss;
    if ("broken" in saved) return { kind: "broken", reason: saved.broken };
    const hash = await digestFile(output.network);
    await publish(output.network, `${output.models}/${hash}.safetensors`);
    const carried = saved.state === undefined ? null : await digestFile(saved.state);
    return { kind: "aggregated", hash, state: carried, privacy: saved.report.privacy };
  } catch (error) {
    await rm(output.network, { force: true });
    // Bytes that changed may be the cause.
    const loss = await lost();
    if (loss !== undefined) return loss;
    if (!isIsthmusError(error, "DivergenceError")) throw error;
    return { kind: "failed", reason: error.message, privacy: spent() };
  } finally {
    await files.close();
  }
}

/** Aggregates the updates of a round into the files of the result. */
async function saveRound(
  request: AggregateRequest,
  files: RoundFiles,
  signal: AbortSignal,
): Promise<SavedAggregate | BrokenSum> {
  const { strategy, output, step, seed, privacy } = request;
  const network = await files.open(request.network.path);
  const graph = request.graph === null ? undefined : (await readArchitecture(request.graph)).graph;
  const resolved = resolveStrategy(graph, network, strategy);
  const sum = await openSumIfAsked(network, request, files);
  if (sum !== undefined && "broken" in sum) return sum;
  const keeps = namesTreated(resolved.treatments, "keep");
  const updates = sum === undefined ? await openUpdates(network, request, { keeps, files }) : [sum];
  const aligned = await alignIfAsked({ graph, network, updates }, request, signal);
  const state = request.state === null ? undefined : await files.open(request.state.path);
  return saveAggregate(network, aligned, output, {
    ...resolved,
    state,
    round: step,
    seed,
    signal,
    privacyState: privacy.state,
    noiseSeed: privacy.noiseSeed,
    memory: MEMORY,
  });
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
async function lossOf({ updates }: AggregateRequest, files: RoundFiles): Promise<string | undefined> {
  for (const { client, file } of updates) {
    const fault = await faultOf(file, () => files.digest(file.path));
    if (fault === undefined) continue;
    return `Cannot aggregate the update of "${client}" as its file must have the bytes that were checked, those of SHA-256 ${file.hash}: ${fault}`;
  }
  return undefined;
}

/** Opens the updates of a round one by one. */
async function openUpdates(
  network: Checkpoint,
  request: AggregateRequest,
  { keeps, files }: { readonly keeps: ReadonlySet<string>; readonly files: RoundFiles },
): Promise<readonly ClientUpdate[]> {
  const updates: ClientUpdate[] = [];
  for (const { file, base, ...update } of request.updates) {
    const began = base.path === request.network.path ? undefined : await files.open(base.path);
    const sent = await openSafetensors(await files.openUpdate(file));
    updates.push({ ...update, network: completed(sent, network, keeps), base: began });
  }
  return updates;
}

/** Opens the sum of masked updates; returns undefined if updates are not masked. */
async function openSumIfAsked(
  network: Checkpoint,
  { secure, keep, updates }: AggregateRequest,
  files: RoundFiles,
): Promise<ClientUpdate | BrokenSum | undefined> {
  if (secure === null) return undefined;
  const sources = new Map<string, ByteSource>();
  for (const { client, file } of updates) sources.set(client, await files.openUpdate(file));
  return openSummedUpdate(network, { secure, keep, sources });
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

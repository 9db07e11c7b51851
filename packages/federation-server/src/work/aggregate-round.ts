import { rm } from "node:fs/promises";
import { type Checkpoint, composeCheckpoint, openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  type AggregateReport,
  alignUpdates,
  type ClientUpdate,
  resolveStrategy,
  type StrategyDescription,
  saveAggregate,
  type Treatment,
} from "@isthmus/federated";
import { openArchitecture } from "@isthmus/zoo";
import { hashFile } from "../store/hash-file.ts";
import { publish } from "../store/store.ts";

/** What is needed to aggregate a round, with paths in place of networks. */
export interface AggregateRequest {
  readonly network: string;
  readonly updates: readonly {
    readonly client: string;
    readonly examples: number;
    readonly loss?: number | undefined;
    readonly staleness: number;
    readonly path: string;
    /** Path of the network that the client began with. */
    readonly base: string;
  }[];
  readonly strategy: StrategyDescription;
  /** Path of the graph, for strategies that look at the architecture; `null` where there is none. */
  readonly graph: string | null;
  readonly round: number;
  readonly seed: number;
  /** Path of the state that the round before left, where it left one. */
  readonly state: string | null;
  /** Paths to write to. */
  readonly output: { readonly network: string; readonly state: string; readonly models: string };
}

/** What came of a round. */
export interface AggregatedRound {
  /** SHA-256 of the new network, which is the name of its file. */
  readonly hash: string;
  readonly report: AggregateReport;
}

/** Aggregates a round: the same bytes every time, so that a killed server may do it again. */
export async function aggregateRound(
  request: AggregateRequest,
  signal: AbortSignal,
): Promise<AggregatedRound> {
  const { strategy, output, round, seed } = request;
  const opened: Checkpoint[] = [];
  const open = async (path: string): Promise<Checkpoint> => {
    const checkpoint = await openCheckpoint(path);
    opened.push(checkpoint);
    return checkpoint;
  };
  try {
    const network = await open(request.network);
    const architecture =
      request.graph === null ? undefined : await openArchitecture(request.graph, createOnnxRuntimeEngine());
    const resolved = resolveStrategy(architecture?.graph, network, strategy);
    const kept = keptNames(resolved.treatments);
    const updates: ClientUpdate[] = [];
    for (const { path, base, ...update } of request.updates) {
      const began = base === request.network ? undefined : await open(base);
      updates.push({ ...update, network: completed(await open(path), network, kept), base: began });
    }
    const aligned =
      strategy.align === undefined || architecture === undefined
        ? updates
        : (await alignUpdates(architecture, network, updates, { to: strategy.align, seed, signal })).updates;
    const state = request.state === null ? undefined : await open(request.state);
    const { report } = await saveAggregate(network, aligned, output, {
      ...resolved,
      state,
      round,
      seed,
      signal,
    });
    const hash = await hashFile(output.network);
    await publish(output.network, `${output.models}/${hash}.safetensors`);
    return { hash, report };
  } catch (error) {
    await rm(output.network, { force: true });
    throw error;
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
  }
}

/** Returns the names of the tensors that clients keep to themselves. */
export function keptNames(treatments: ReadonlyMap<string, Treatment> = new Map()): ReadonlySet<string> {
  return new Set([...treatments].filter(([, treatment]) => treatment === "keep").map(([name]) => name));
}

/** Returns an update in which the tensors that clients keep are those of the global network. */
function completed(update: Checkpoint, network: Checkpoint, kept: ReadonlySet<string>): Checkpoint {
  const places = [...network.tensors.keys()].map((name) => {
    return [name, { checkpoint: kept.has(name) ? network : update, name }] as const;
  });
  return composeCheckpoint(new Map(places), { source: update.source });
}

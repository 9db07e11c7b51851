import { rm } from "node:fs/promises";
import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import {
  type AggregateReport,
  type ClientUpdate,
  resolveStrategy,
  type StrategyDescription,
  saveAggregate,
} from "@isthmus/federated/rounds";
import type { Graph } from "@isthmus/graph";
import { readArchitecture } from "@isthmus/zoo";
import { hashFile } from "../store/hash-file.ts";
import { publish } from "../store/store.ts";
import { completed } from "./complete-update.ts";
import { keptNames } from "./kept-names.ts";
import { createPieceReader, cutPieces, faultOf } from "./tensor-pieces.ts";

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
  /** Which number of the new network is not finite, so that it is not to be used; `null` if all are. */
  readonly fault: string | null;
}

/** Bytes of ranges that are held at once; the bytes of the result do not depend on it. */
const MEMORY = 16 * 2 ** 20;

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
    const graph = request.graph === null ? undefined : (await readArchitecture(request.graph)).graph;
    const resolved = resolveStrategy(graph, network, strategy);
    const keeps = keptNames(resolved.treatments);
    const updates: ClientUpdate[] = [];
    for (const { path, base, ...update } of request.updates) {
      const began = base === request.network ? undefined : await open(base);
      updates.push({ ...update, network: completed(await open(path), network, keeps), base: began });
    }
    const aligned = await alignIfAsked({ graph, network, updates }, request, signal);
    const state = request.state === null ? undefined : await open(request.state);
    const { report } = await saveAggregate(network, aligned, output, {
      ...{ ...resolved, state, round, seed, signal },
      memory: MEMORY,
    });
    const hash = await hashFile(output.network);
    const fault = await findFault(await open(output.network));
    if (fault === null) await publish(output.network, `${output.models}/${hash}.safetensors`);
    else await rm(output.network, { force: true });
    return { hash, report, fault };
  } catch (error) {
    await rm(output.network, { force: true });
    throw error;
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
  }
}

/** Says which number of a network is not finite; `null` if all are. */
async function findFault(network: Checkpoint): Promise<string | null> {
  const reader = createPieceReader();
  try {
    for (const piece of cutPieces(network)) {
      const fault = faultOf(piece, await reader.read(network, piece));
      if (fault !== undefined) return fault;
    }
    return null;
  } finally {
    reader.release();
  }
}

interface Aligning {
  readonly graph: Graph | undefined;
  readonly network: Checkpoint;
  readonly updates: readonly ClientUpdate[];
}

/** Aligns updates, if the strategy says so; only this needs an engine. */
async function alignIfAsked(
  { graph, network, updates }: Aligning,
  { strategy: { align }, seed }: AggregateRequest,
  signal: AbortSignal,
): Promise<readonly ClientUpdate[]> {
  if (align === undefined || graph === undefined) return updates;
  const { alignUpdates } = await import("@isthmus/federated");
  const { createOnnxRuntimeEngine } = await import("@isthmus/engine");
  const architecture = { graph, engine: createOnnxRuntimeEngine() };
  return (await alignUpdates(architecture, network, updates, { to: align, seed, signal })).updates;
}

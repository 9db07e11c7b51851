import { type Checkpoint, UnsupportedError } from "@isthmus/core";
import {
  type Alignment,
  assertBindable,
  type Derivation,
  discoverSymmetries,
  type Engine,
  type Graph,
  permute,
  readGraph,
  verifyAlignment,
  verifySymmetries,
} from "@isthmus/graph";
import { type MatchWeightsResult, matchWeights } from "@isthmus/weight-matching";
import { createEngine, type EngineOptions } from "./engine-option.ts";
import type { Context } from "./verb.ts";

/** How well permuting keeps the function of a network. */
export interface Verification {
  readonly passed: boolean;
  /** Largest error of any value inside the network or of its outputs. */
  readonly maxRelativeError: number;
}

/** A network aligned to another. */
export interface AlignedNetwork {
  readonly alignment: Alignment;
  /** The network with its units in the order of the other; lazy. */
  readonly network: Checkpoint;
  /** What `--json` says of it. */
  readonly summary: Pick<
    MatchWeightsResult,
    "objective" | "scaledObjective" | "sweeps" | "status" | "seed"
  > & {
    readonly restarts: number;
    readonly verified: Verification;
  };
}

/** A graph and the engine that runs it. */
export interface Architecture {
  readonly graph: Graph;
  readonly engine: Engine;
}

/** An architecture with its symmetries. */
export interface Aligner extends Architecture {
  readonly symmetries: Derivation;
}

/** Options of {@link alignNetwork}. */
export interface AlignOptions {
  readonly seed: number;
  readonly restarts?: number | undefined;
}

/** Reads a graph and makes the engine that will run it. */
export async function openArchitecture(path: string, { engine }: EngineOptions): Promise<Architecture> {
  const { graph } = await readGraph(path);
  return { graph, engine: await createEngine(engine) };
}

/** Discovers the symmetries of an architecture, and gets ready to align networks of it. */
export async function createAligner(
  { graph, engine }: Architecture,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<Aligner> {
  progress("Discovering symmetries");
  return { graph, engine, symmetries: await discoverSymmetries(graph, engine, { signal }) };
}

/**
 * Aligns network `b` to network `a` and verifies that neither the symmetries in general nor this alignment change
 * what it computes.
 * @throws UnsupportedError if they do
 * @throws MismatchError if a network does not fit the graph
 */
export async function alignNetwork(
  { graph, engine, symmetries }: Aligner,
  [a, b]: readonly [Checkpoint, Checkpoint],
  { seed, restarts }: AlignOptions,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<AlignedNetwork> {
  for (const network of [a, b]) assertBindable(graph, network);
  const { spec } = symmetries;
  const found = await matchWeights(a, b, spec, {
    seed,
    ...(restarts === undefined ? {} : { restarts }),
    graph,
    engine,
    signal,
    onProgress: (at) =>
      progress(`Matching weights, search ${at.restart + 1} of ${at.restarts}`, at.restart / at.restarts),
  });
  const network = permute(found.alignment, b, spec);
  progress("Verifying");
  const general = await verifySymmetries(graph, engine, symmetries, { seed, weights: b, signal });
  const failure = general.firstFailure;
  if (failure !== undefined) throw wrongSymmetries(graph, failure.node, failure.error);
  const own = await verifyAlignment(graph, engine, [b, network], { seed, signal });
  if (!own.passed) throw wrongSymmetries(graph, "the output", own.maxRelativeError);
  const { objective, scaledObjective, sweeps, status } = found;
  const verified = {
    passed: true,
    maxRelativeError: Math.max(general.maxRelativeError, own.maxRelativeError),
  };
  return {
    alignment: found.alignment,
    network,
    summary: { objective, scaledObjective, sweeps, status, seed, restarts: found.restarts.length, verified },
  };
}

function wrongSymmetries(graph: Graph, node: string, error: number): UnsupportedError {
  return new UnsupportedError(
    `Cannot align with graph "${graph.name}" as permuting must not change what it computes: ${node} differs by ${error}; please report this graph`,
    { feature: node },
  );
}

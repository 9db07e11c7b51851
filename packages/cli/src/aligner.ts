import { type Checkpoint, UnsupportedError } from "@isthmus/core";
import {
  type Alignment,
  assertBindable,
  type Derivation,
  discoverSymmetries,
  type Engine,
  type Graph,
  permute,
  verifyAlignment,
  verifySymmetries,
} from "@isthmus/graph";
import { type MatchMethod, type MatchOptions, type MatchResult, match } from "@isthmus/weight-matching";
import { createEngine, type EngineOptions } from "./engine-option.ts";
import { readArchitecture } from "./read-architecture.ts";
import type { Context } from "./verb.ts";

/** How well permuting keeps the function of a network. */
export interface Verification {
  readonly passed: boolean;
  /** Largest error of any value inside the network or of its outputs. */
  readonly maxRelativeError: number;
}

/** What is said of an alignment: the method, what it maximised, and what else it tells. */
export interface AlignmentSummary {
  readonly method: MatchMethod;
  readonly objective: MatchResult["objective"];
  readonly seed: number;
  readonly verified: Verification;
}

/** A network aligned to another. */
export interface AlignedNetwork {
  readonly alignment: Alignment;
  readonly found: MatchResult;
  /** The network with its units in the order of the other; lazy. */
  readonly network: Checkpoint;
  /** What `--json` says of it. */
  readonly summary: AlignmentSummary;
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

/** Reads a graph, from ONNX or the model.json of a LayersModel, and makes the engine that will run it. */
export async function openArchitecture(path: string, { engine }: EngineOptions): Promise<Architecture> {
  return { graph: await readArchitecture(path), engine: await createEngine(engine) };
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
  options: MatchOptions,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<AlignedNetwork> {
  for (const network of [a, b]) assertBindable(graph, network);
  const { spec } = symmetries;
  const { seed } = options;
  const found = await match(
    { graph, engine, a, b, symmetries },
    { ...options, signal, onProgress: (done) => progress(`Matching by ${NAMES[options.method]}`, done) },
  );
  const network = permute(found.alignment, b, spec);
  progress("Verifying");
  const general = await verifySymmetries(graph, engine, symmetries, { seed, weights: b, signal });
  const failure = general.firstFailure;
  if (failure !== undefined) throw wrongSymmetries(graph, failure.node, failure.error);
  const own = await verifyAlignment(graph, engine, [b, network], { seed, signal });
  if (!own.passed) throw wrongSymmetries(graph, "the output", own.maxRelativeError);
  const verified = {
    passed: true,
    maxRelativeError: Math.max(general.maxRelativeError, own.maxRelativeError),
  };
  return { alignment: found.alignment, found, network, summary: { ...summarize(found), verified } };
}

/** What methods match by, for progress. */
const NAMES: Readonly<Record<MatchMethod, string>> = {
  weight: "weights",
  activation: "activations",
  "straight-through": "weights that gradients pass through",
};

/** The result without the permutations; of searches only how many there were. */
function summarize(found: MatchResult): Omit<AlignmentSummary, "verified"> {
  const { alignment: _, ...rest } = found;
  if (rest.method !== "weight") return rest;
  const { restarts, ...own } = rest;
  return Object.assign(own, { restarts: restarts.length });
}

function wrongSymmetries(graph: Graph, node: string, error: number): UnsupportedError {
  return new UnsupportedError(
    `Cannot align with graph "${graph.name}" as permuting must not change what it computes: ${node} differs by ${error}; please report this graph`,
    { feature: node },
  );
}

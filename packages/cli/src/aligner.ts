import type { Checkpoint } from "@isthmus/core";
import { type Alignment, assertBindable, type Derivation, discoverSymmetries, permute } from "@isthmus/graph";
import { type MatchMethod, type MatchOptions, type MatchResult, match } from "@isthmus/weight-matching";
import type { Architecture } from "./open-architecture.ts";
import { proveAlignment, type Verification } from "./prove-alignment.ts";
import type { Context } from "./verb.ts";

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

/** An architecture with its symmetries. */
export interface Aligner extends Architecture {
  readonly symmetries: Derivation;
}

/** Discovers the symmetries of an architecture, and gets ready to align networks of it. */
export async function createAligner(
  architecture: Architecture,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<Aligner> {
  progress("Discovering symmetries");
  const { graph, engine } = architecture;
  return { ...architecture, symmetries: await discoverSymmetries(graph, engine, { signal }) };
}

/**
 * Aligns network `b` to network `a` and verifies that neither the symmetries in general nor this alignment change
 * what it computes.
 * @throws UnsupportedError if they do
 * @throws MismatchError if a network does not fit the graph
 */
export async function alignNetwork(
  aligner: Aligner,
  [a, b]: readonly [Checkpoint, Checkpoint],
  options: MatchOptions,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<AlignedNetwork> {
  const { graph, engine, symmetries } = aligner;
  for (const network of [a, b]) assertBindable(graph, network);
  const found = await match(
    { graph, engine, a, b, symmetries },
    { ...options, signal, onProgress: (done) => progress(`Matching by ${NAMES[options.method]}`, done) },
  );
  const network = permute(found.alignment, b, symmetries.spec);
  progress("Verifying");
  const verified = await proveAlignment(aligner, [b, network], options.seed, { signal });
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

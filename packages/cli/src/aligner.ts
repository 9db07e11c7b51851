import { type Checkpoint, UnsupportedError } from "@isthmus/core";
import type { BoundNetwork } from "@isthmus/graph";
import {
  type Alignment,
  type Derivation,
  discoverLinearSymmetries,
  discoverSymmetries,
  type LinearKind,
  type LinearSymmetries,
  permute,
} from "@isthmus/symmetry";
import {
  type MatchMethod,
  type MatchOptions,
  type MatchResult,
  match,
  matchNormalized,
} from "@isthmus/weight-matching";
import { isLarge } from "./narrow-large.ts";
import type { Architecture } from "./open-architecture.ts";
import { proveAlignment, type Verification } from "./prove-alignment.ts";
import type { Context } from "./verb.ts";

/** What is said of an alignment: the method, what it maximised, and what else it tells. */
export interface AlignmentSummary {
  readonly method: MatchMethod;
  readonly objective: MatchResult["objective"];
  readonly seed: number;
  /** What was undone beyond permutation; absent where that was not asked for. */
  readonly normalized?: Normalization;
  readonly verified: Verification;
}

/** What was undone beyond permutation. */
export interface Normalization {
  readonly kinds: readonly LinearKind[];
  /** Units that may be scaled, units that may be negated, and cells that may be rotated; 0 for kinds that were not asked for. */
  readonly scales: number;
  readonly signs: number;
  readonly rotations: number;
  /** Distance of the two networks in weight space over all parameters. */
  readonly distance: { readonly before: number; readonly after: number };
}

/** A network aligned to another. */
export interface AlignedNetwork {
  readonly alignment: Alignment;
  readonly found: MatchResult;
  /** The network with its units in the order of the other, and normalised as it is if asked; lazy. */
  readonly network: Checkpoint;
  /** What `--json` says of it. */
  readonly summary: AlignmentSummary;
}

/** An architecture with its symmetries. */
export interface Aligner extends Architecture {
  readonly symmetries: Derivation;
  /** What to undo beyond permutation; nothing if absent. */
  readonly normalize?: { readonly kinds: readonly LinearKind[]; readonly linear: LinearSymmetries };
}

/**
 * Discovers the symmetries of an architecture, and gets ready to align networks of it.
 *
 * @param normalize - what else to undo than permutations
 * @throws UnsupportedError if that is something, and the network is too large to be run
 */
export async function createAligner(
  architecture: Architecture,
  { progress, signal }: Pick<Context, "progress" | "signal">,
  normalize?: readonly LinearKind[] | undefined,
): Promise<Aligner> {
  progress("Discovering symmetries");
  const { graph, engine, narrow } = architecture;
  if (normalize !== undefined && narrow !== undefined && isLarge(graph)) {
    throw new UnsupportedError(
      `Cannot normalize "${graph.name}" as canonical forms are proved by running the network: it has more than 2^27 weights; leave --normalize out`,
      { feature: "normalize" },
    );
  }
  const symmetries = await discoverSymmetries(graph, engine, { signal });
  if (normalize === undefined) return { ...architecture, symmetries };
  const linear = await discoverLinearSymmetries(graph, engine, symmetries, { signal });
  return { ...architecture, symmetries, normalize: { kinds: normalize, linear } };
}

/**
 * Aligns network `b` to network `a` and verifies that neither the symmetries in general nor this alignment change
 * what it computes.
 * @throws UnsupportedError if they do
 * @throws MismatchError if a network does not fit the graph
 */
export async function alignNetwork(
  aligner: Aligner,
  [one, two]: readonly [BoundNetwork, BoundNetwork],
  options: MatchOptions,
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<AlignedNetwork> {
  const { graph, engine, symmetries, normalize } = aligner;
  const [a, b] = [one.network, two.network];
  const matchPair: MatchPair = ([first, second], own = options) =>
    match(
      { graph, engine, a: first, b: second, symmetries },
      { ...own, signal, onProgress: (done) => progress(`Matching by ${NAMES[own.method]}`, done) },
    );
  const { found, network, normalized } =
    normalize === undefined
      ? await matchPlain([a, b], symmetries, matchPair)
      : await matchForms([a, b], { symmetries, normalize, options }, matchPair);
  progress("Verifying");
  // What is proved is what will be saved, under the checkpoint's own names, read back as any checkpoint is.
  const saved = two.reread(two.restore(network));
  const verified = await proveAlignment(aligner, [b, saved], options.seed, { signal });
  const summary = { ...summarize(found), ...(normalized && { normalized }), verified };
  return { alignment: found.alignment, found, network, summary };
}

type MatchPair = (
  networks: readonly [Checkpoint, Checkpoint],
  options?: MatchOptions,
) => Promise<MatchResult>;

interface Matched {
  readonly found: MatchResult;
  readonly network: Checkpoint;
  readonly normalized?: Normalization;
}

interface NormalizedMatching {
  readonly symmetries: Derivation;
  readonly normalize: NonNullable<Aligner["normalize"]>;
  readonly options: MatchOptions;
}

async function matchPlain(
  networks: readonly [Checkpoint, Checkpoint],
  { spec }: Derivation,
  matchPair: MatchPair,
): Promise<Matched> {
  const found = await matchPair(networks);
  return { found, network: permute(found.alignment, networks[1], spec) };
}

async function matchForms(
  networks: readonly [Checkpoint, Checkpoint],
  { symmetries, normalize, options }: NormalizedMatching,
  matchPair: MatchPair,
): Promise<Matched> {
  const { kinds, linear } = normalize;
  const forms = { spec: symmetries.spec, linear };
  // Gradients can lead rotations as they do permutations; the other methods leave them to Procrustes.
  const own =
    options.method === "straight-through" && kinds.includes("rotation")
      ? { ...options, rotations: linear.rotations }
      : options;
  const { found, network, distance } = await matchNormalized(networks, forms, kinds, (pair) =>
    matchPair(pair, own),
  );
  const count = (kind: LinearKind, number: number) => (kinds.includes(kind) ? number : 0);
  const normalized = {
    kinds,
    scales: count("scale", linear.scales.variables),
    signs: count("sign", linear.signs.variables),
    rotations: count("rotation", linear.rotations.length),
    distance,
  };
  return { found, network, normalized };
}

/** What methods match by, for progress. */
const NAMES: Readonly<Record<MatchMethod, string>> = {
  weight: "weights",
  activation: "activations",
  "straight-through": "weights that gradients pass through",
};

/** The result without permutations and rotations; of searches only how many there were. */
function summarize(found: MatchResult): Omit<AlignmentSummary, "normalized" | "verified"> {
  const { alignment: _, ...rest } = found;
  if (rest.method === "straight-through") {
    const { rotations: _rotations, ...own } = rest;
    return own;
  }
  if (rest.method !== "weight") return rest;
  const { restarts, ...own } = rest;
  return Object.assign(own, { restarts: restarts.length });
}

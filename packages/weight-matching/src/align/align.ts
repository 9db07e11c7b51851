import { type Checkpoint, InputError, UsageError } from "@isthmus/core";
import { type Architecture, assertNetwork, type BoundNetwork } from "@isthmus/graph";
import { discoverSymmetries, type LinearKind, permute, type Symmetries, wholeSpec } from "@isthmus/symmetry";
import { type MatchOptions, type MatchResult, match } from "../match.ts";
import { matchNormalized } from "../normalize/match-normalized.ts";
import type { AlignedNetwork, AlignmentSummary } from "./aligned-network.ts";
import { countForms, discoverForms } from "./linear-forms.ts";
import { noteStillness } from "./note-stillness.ts";
import type { Normalizing, ProvenGroup } from "./prove-alignment.ts";
import { proveSaved } from "./prove-saved.ts";
import { asStored, inGraph } from "./saved-network.ts";

/** Progress of an alignment, see {@link AlignOptions.onProgress}. */
export interface AlignProgress {
  /** Share of the whole, in `[0, 1]`. */
  readonly done: number;
  /**
   * Work under way: the search for the graph's symmetries, the matching of a network's units, or the proof.
   */
  readonly phase: "discovering" | "matching" | "verifying";
  /** Position of the network that is aligned; 0 while symmetries are discovered. */
  readonly network: number;
  /** Share of the phase, in `[0, 1]`, if it is known. */
  readonly share?: number;
}

type WithoutShared<T> = T extends unknown ? Omit<T, "onProgress" | "onNote"> : never;
type WithoutMethod<T> = T extends { readonly method: "weight" | "learned" } ? Omit<T, "method"> : never;
type Matching = WithoutShared<MatchOptions>;

/**
 * Options of {@link align}: the options of the matching method, and how the result is proved. Without a
 * method, networks with data are aligned by learning, which needs no labels, and others by weights.
 */
export type AlignOptions = (Matching | (WithoutMethod<Matching> & { readonly method?: undefined })) & {
  /** Kinds of symmetries beyond permutation that are undone, too. @defaultValue none */
  readonly normalize?: readonly LinearKind[] | undefined;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  /**
   * `values` proves the symmetries on every value inside each network; `outputs` only compares its outputs
   * before and after, for
   * symmetries that were proved before.
   * @defaultValue "values"
   */
  readonly proof?: "values" | "outputs" | undefined;
  /**
   * Called at the start of each phase, during matching, and once at the end.
   * @defaultValue nothing is called
   */
  readonly onProgress?: ((progress: AlignProgress) => void) | undefined;
  /** Called with notes for the user, such as which parts are left out, or why no unit moves. */
  readonly onNote?: ((text: string) => void) | undefined;
};

/** Result of {@link align}. */
export interface AlignResult {
  /**
   * The first network unchanged, and the others with their units in its order, lazily. Networks that were
   * bound to the graph have the names and the layout of their own checkpoints again.
   */
  readonly networks: readonly Checkpoint[];
  /** Alignments of all networks but the first, in order. */
  readonly aligned: readonly AlignedNetwork[];
  /**
   * Symmetries of the graph: the ones given in the options, or the ones discovered. The alignments are of
   * their `wholeSpec`.
   */
  readonly symmetries: Symmetries;
}

/**
 * Aligns networks of one architecture to the first of them, and proves that none computes anything else than
 * before.
 *
 * The symmetries of the graph are discovered, each network's units are matched to the units of the first, and
 * the result, as it would be saved and read back, is run: every value inside is compared, and the outputs
 * before and after. A result without a proof is never returned.
 *
 * @param networks - at least two: checkpoints with the graph's names, or networks bound to it by
 *   `bindNetworks`
 * @throws UnsupportedError if a network would compute something else, or canonical forms of one too large to
 *   be run are asked for
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if there are fewer than two networks, or data do not fit
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { readGraph } from "@isthmus/graph";
 * import { align } from "@isthmus/weight-matching";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const { aligned } = await align(architecture, [a, b], { seed: 0, restarts: 1 });
 * assert(aligned[0]?.summary.verified.passed);
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function align(
  architecture: Architecture,
  networks: readonly (Checkpoint | BoundNetwork)[],
  options: AlignOptions,
): Promise<AlignResult> {
  const [first, ...others] = networks;
  if (first === undefined || others.length === 0) throw tooFew(networks);
  const { normalize, symmetries: discovered, proof = "values", onProgress, onNote, ...matching } = options;
  const { seed, signal } = matching;
  const { graph } = architecture;
  for (const network of networks) assertNetwork(graph, inGraph(network));
  onProgress?.({ done: 0, phase: "discovering", network: 0 });
  const symmetries =
    discovered ?? (await discoverSymmetries({ graph, engine: architecture.engine }, { signal }));
  await noteStillness(architecture, symmetries, { signal, onNote });
  const group = { symmetries, normalizing: await discoverForms(architecture, symmetries, options) };
  const aligned: AlignedNetwork[] = [];
  for (const [i, other] of others.entries()) {
    const report = (phase: "matching" | "verifying", share = 0) => {
      const done = (i + (phase === "matching" ? MATCHING * share : MATCHING)) / others.length;
      onProgress?.({ done, phase, network: i + 1, share });
    };
    const isLearning = "data" in matching && matching.data !== undefined;
    const chosen = { method: isLearning ? "learned" : "weight", ...matching };
    const method = {
      ...chosen,
      ...(chosen.method === "learned" && { onNote }),
      onProgress: ({ done }: { readonly done: number }) => report("matching", done),
    };
    const matched = await matchPair(
      architecture,
      group,
      [inGraph(first), inGraph(other)],
      method as MatchOptions,
    );
    report("verifying");
    // A permutation moves weights unchanged; steps that multiply weights round them to their type again.
    const isMultiplied = matched.match.method === "learned" || group.normalizing !== undefined;
    const proven = {
      ...group,
      mixed: matched.match.method === "learned" ? matched.match.symmetries : undefined,
    };
    const { restored, verified } = await proveSaved(
      architecture,
      proven,
      { original: other, changed: matched.network, move: isMultiplied ? matched.move : undefined },
      { seed, proof, signal },
    );
    aligned.push({ ...matched, restored, summary: { ...matched.summary, verified } });
  }
  onProgress?.({ done: 1, phase: "verifying", network: others.length, share: 1 });
  return { networks: [asStored(first), ...aligned.map(({ restored }) => restored)], aligned, symmetries };
}

/** Share of the time of a network that matching takes, for progress; the rest is the proof. */
const MATCHING = 0.8;

function tooFew(networks: readonly (Checkpoint | BoundNetwork)[]): InputError {
  const [only] = networks;
  return new InputError(`Cannot align networks as there must be at least two: got ${networks.length}`, {
    input: only === undefined ? "networks" : inGraph(only).source,
  });
}

/** A matched network, not yet proved. */
type MatchedNetwork = Pick<AlignedNetwork, "alignment" | "match" | "network" | "move"> & {
  readonly summary: Omit<AlignmentSummary, "verified">;
};

/** Matches network `b` to network `a`, and undoes scales, signs and rotations if asked to. */
async function matchPair(
  { graph, engine }: Architecture,
  { symmetries, normalizing }: ProvenGroup,
  [a, b]: readonly [Checkpoint, Checkpoint],
  options: MatchOptions,
): Promise<MatchedNetwork> {
  const matchBy = (pair: readonly [Checkpoint, Checkpoint], method = options) =>
    match({ graph, engine, symmetries }, pair, method);
  if (options.method === "learned" && normalizing !== undefined) throw normalizesLearned();
  if (normalizing === undefined) {
    const result = await matchBy([a, b]);
    const { alignment } = result;
    if (result.method === "learned") {
      const { transform: move } = result;
      return { alignment, match: result, network: await move(b), move, summary: summarize(result) };
    }
    const moved = (other: Checkpoint) => permute(alignment, other, wholeSpec(symmetries));
    const move: AlignedNetwork["move"] = async (other) => moved(other);
    return { alignment, match: result, network: moved(b), move, summary: summarize(result) };
  }
  const { kinds, linear } = normalizing;
  const {
    found: result,
    network,
    move,
    distance,
  } = await matchNormalized([a, b], { ...symmetries, linear }, kinds, (pair) =>
    matchBy(pair, withRotations(options, normalizing)),
  );
  const normalized = { ...countForms(normalizing), distance };
  return {
    alignment: result.alignment,
    match: result,
    network,
    move,
    summary: { ...summarize(result), normalized },
  };
}

function normalizesLearned(): UsageError {
  return new UsageError(
    "Cannot learn an alignment of canonical forms as it moves scales and rotations itself: leave normalize out",
  );
}

/**
 * Adds rotations to the options of straight-through matching, whose gradients can lead them as they lead
 * permutations; the other methods leave rotations to Procrustes.
 */
function withRotations(options: MatchOptions, { kinds, linear }: Normalizing): MatchOptions {
  return options.method === "straight-through" && kinds.includes("rotation")
    ? { ...options, rotations: linear.rotations }
    : options;
}

/**
 * Summarises a result as plain data, without permutations and rotations; of the searches only the number is
 * kept.
 */
function summarize(result: MatchResult): Omit<AlignmentSummary, "normalized" | "verified"> {
  const { alignment: _, ...rest } = result;
  if (rest.method === "learned") {
    const { transform: _transform, symmetries: _symmetries, ...summary } = rest;
    return summary;
  }
  if (rest.method === "straight-through") {
    const { rotations: _rotations, ...summary } = rest;
    return summary;
  }
  if (rest.method !== "weight") return rest;
  const { restarts, ...summary } = rest;
  return Object.assign(summary, { restarts: restarts.length });
}

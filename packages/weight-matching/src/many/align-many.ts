import { at, type Checkpoint, UsageError } from "@isthmus/core";
import {
  type Architecture,
  assertNetwork,
  type BoundNetwork,
  type DataSet,
  limitExamples,
} from "@isthmus/graph";
import {
  type Alignment,
  discoverSymmetries,
  type LinearKind,
  permute,
  type Symmetries,
  wholeAlignment,
  wholeSpec,
} from "@isthmus/symmetry";
import type { AlignProgress } from "../align/align.ts";
import type { AlignedNetwork, AlignmentSummary } from "../align/aligned-network.ts";
import { countForms, discoverForms } from "../align/linear-forms.ts";
import { noteStillness } from "../align/note-stillness.ts";
import type { ProvenGroup } from "../align/prove-alignment.ts";
import { proveSaved } from "../align/prove-saved.ts";
import { asStored, inGraph } from "../align/saved-network.ts";
import { canonicalize } from "../normalize/canonicalize.ts";
import { matchNormalized } from "../normalize/match-normalized.ts";
import {
  ACTIVATION_NETWORKS_DEFAULTS,
  type ActivationNetworksOptions,
  activationNetworks,
} from "./activation-networks.ts";
import { createMergedJudge } from "./judge-merged.ts";
import { type LearnManyOptions, type LearnManyResult, learnMany } from "./learn-many.ts";
import { type MatchManyOptions, type MatchManyResult, matchMany } from "./match-many.ts";
import type { MatchedObjectives } from "./measure-objectives.ts";

/** Ways to choose between searches: see {@link AlignManyOptions.judge}. */
export const MANY_JUDGES = ["objective", "merged"] as const;

/** A way to choose between searches. */
export type ManyJudge = (typeof MANY_JUDGES)[number];

/** Options of {@link alignMany}: the options of {@link matchMany}, and how the result is proved. */
export type AlignManyOptions = Omit<MatchManyOptions, "onProgress" | "judge"> & {
  /** Whether units are matched by their weights or by their activations on data. @defaultValue "weight" */
  readonly method?: "weight" | "activation" | undefined;
  /** Examples to match activations on and to judge by; needed for method "activation" and judge "merged". */
  readonly data?: DataSet | undefined;
  /**
   * Whether the best of several searches is the one of the greatest objective, or the one of which the merged
   * network, the mean of all, has the least loss on the examples, its batch norms measured again.
   * @defaultValue "objective"
   */
  readonly judge?: ManyJudge | undefined;
  /** Options for comparing activations. */
  readonly activations?: ActivationNetworksOptions | undefined;
  /** Kinds of symmetries beyond permutation that are undone, too. @defaultValue none */
  readonly normalize?: readonly LinearKind[] | undefined;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
  /** Extent of the proof, see `align`. @defaultValue "values" */
  readonly proof?: "values" | "outputs" | undefined;
  /** Called at the start, during matching, and after each proof. @defaultValue nothing is called */
  readonly onProgress?: ((progress: AlignProgress) => void) | undefined;
  /** Called with notes for the user, such as why no unit moves. */
  readonly onNote?: ((text: string) => void) | undefined;
};

/** A network in the coordinates of the reference. */
export type ManyAlignedNetwork = Pick<AlignedNetwork, "alignment" | "network" | "restored"> & {
  /**
   * Summary, whose objectives are inner products with the reference, which count in the sums over all pairs.
   */
  readonly summary: AlignmentSummary & Pick<MatchedObjectives, "scaledObjective">;
};

/** Result of {@link alignMany}. */
export interface AlignManyResult {
  /** All networks, lazily, with their units in the order of the reference, which is unchanged. */
  readonly networks: readonly Checkpoint[];
  /** Alignments of all networks, the reference included. */
  readonly aligned: readonly ManyAlignedNetwork[];
  /** Result of the matching. */
  readonly match: MatchManyResult;
  /** Symmetries of the graph: the ones given in the options, or the ones discovered. */
  readonly symmetries: Symmetries;
}

/**
 * Aligns networks by learning, all at once, as `matchManyLearned` does, and proves that none computes
 * anything else than before; the reference is not changed.
 *
 * @param networks - at least two: checkpoints with the graph's names, or networks bound to it by
 *   `bindNetworks`
 * @throws UnsupportedError if a network would compute something else, or an operator has no gradient rule
 * @throws MismatchError if a network does not fit the graph, or the graph gives no logits
 * @throws InputError if there are fewer than two networks, or the data do not fit the graph
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { alignMany } from "@isthmus/weight-matching";
 * import { parseNetwork } from "@isthmus/zoo";
 *
 * const data = await openDataSet("text:examples/gradient-norm/gradient-norm.ts:train@64", { context: 8 });
 * const { graph, initialize } = parseNetwork("gpt:d1:w8:h1:c8", data);
 * const networks = [initialize(0), initialize(1), initialize(2)];
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const options = { method: "learned", data, seed: 0, learning: { steps: 2 } } as const;
 * const { aligned } = await alignMany(architecture, networks, options);
 * assert(aligned.every(({ summary }) => summary.verified.passed));
 * ```
 */
export function alignMany(
  architecture: Architecture,
  networks: readonly (Checkpoint | BoundNetwork)[],
  options: LearnManyOptions,
): Promise<LearnManyResult>;
/**
 * Aligns any number of networks of one architecture to each other, through one universe, and proves that none
 * computes anything else than before.
 *
 * All are put in the coordinates of one of them, the reference, but which one it is does not change how they
 * lie to each other: {@link alignmentBetween} of any two agrees with the way over any third.
 *
 * @param networks - at least two: checkpoints with the graph's names, or networks bound to it by
 *   `bindNetworks`
 * @throws UnsupportedError if a network would compute something else, or canonical forms of one too large
 *   to be run are asked for
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if there are fewer than two networks, or a weight is NaN or infinite; it is named
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { randomWeights, readGraph } from "@isthmus/graph";
 * import { alignMany } from "@isthmus/weight-matching";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const paths = ["s0", "s1"].map((seed) => `examples/mnist-mlp/${seed}.safetensors`);
 * const trained = await Promise.all(paths.map(openCheckpoint));
 * const third = createCheckpoint(randomWeights(graph, 0));
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const networks = [...trained, third];
 * const { match, aligned } = await alignMany(architecture, networks, { seed: 0, many: "tree" });
 * assert(match.objective.after > match.objective.before);
 * assert(aligned.every(({ summary }) => summary.verified.passed));
 * await Promise.all(trained.map((network) => network.close()));
 * ```
 */
export function alignMany(
  architecture: Architecture,
  networks: readonly (Checkpoint | BoundNetwork)[],
  options: AlignManyOptions,
): Promise<AlignManyResult>;
export async function alignMany(
  architecture: Architecture,
  networks: readonly (Checkpoint | BoundNetwork)[],
  options: AlignManyOptions | LearnManyOptions,
): Promise<AlignManyResult | LearnManyResult> {
  return options.method === "learned"
    ? learnMany(architecture, networks, options)
    : placeMany(architecture, networks, options);
}

/**
 * Aligns networks by permutations, as `alignMany` does: pages that call it do not load what learning needs.
 */
export async function placeMany(
  architecture: Architecture,
  networks: readonly (Checkpoint | BoundNetwork)[],
  options: AlignManyOptions,
): Promise<AlignManyResult> {
  const { symmetries: discovered, proof = "values", onProgress, method = "weight" } = options;
  const { graph, engine } = architecture;
  const { seed, signal } = options;
  const originals = networks.map(inGraph);
  for (const network of originals) assertNetwork(graph, network);
  onProgress?.({ done: 0, phase: "discovering", network: 0 });
  const symmetries = discovered ?? (await discoverSymmetries({ graph, engine }, { signal }));
  await noteStillness(architecture, symmetries, options);
  const group = { symmetries, normalizing: await discoverForms(architecture, symmetries, options) };
  const report = (share: number) =>
    onProgress?.({ done: MATCHING * share, phase: "matching", network: 0, share });
  const match = await matchBy(architecture, { originals, group }, options, report);
  const aligned: ManyAlignedNetwork[] = [];
  for (const [i, network] of networks.entries()) {
    const share = i / networks.length;
    onProgress?.({ done: MATCHING + (1 - MATCHING) * share, phase: "verifying", network: i, share });
    const moved = await moveNetwork(originals, group, match, i);
    const move = async (other: Checkpoint) =>
      (await moveNetwork(originals.with(i, other), group, match, i)).network;
    const { restored, verified } = await proveSaved(
      architecture,
      group,
      {
        original: network,
        changed: moved.network,
        move: group.normalizing === undefined ? undefined : move,
      },
      { seed, proof, signal },
    );
    const { alignment, network: inUniverse, ...summary } = moved;
    aligned.push({
      alignment,
      network: inUniverse,
      restored: i === match.reference ? asStored(network) : restored,
      summary: { method, seed, verified, ...at(match.toReference, i, "network"), ...summary },
    });
  }
  onProgress?.({ done: 1, phase: "verifying", network: networks.length, share: 1 });
  return { networks: aligned.map(({ restored }) => restored), aligned, match, symmetries };
}

/** Share of the time that matching takes, for progress; the rest is the proof. */
const MATCHING = 0.8;

/** Networks to match, and the symmetries of their graph. */
interface ManyOriginals {
  readonly originals: readonly Checkpoint[];
  readonly group: ProvenGroup;
}

/** Matches the networks, and chooses between searches by the loss of the merged network if options say so. */
async function matchBy(
  architecture: Architecture,
  networks: ManyOriginals,
  options: AlignManyOptions,
  report: (share: number) => void,
): Promise<MatchManyResult> {
  const { judge, data, activations, signal } = options;
  if (judge !== "merged") return matchUnits(architecture, networks, { ...options, judge: undefined }, report);
  const { originals, group } = networks;
  const { examples = ACTIVATION_NETWORKS_DEFAULTS.examples } = activations ?? {};
  const seen = limitExamples("judge alignments", examplesOf(data, "judge alignments"), examples);
  const merged = await createMergedJudge(architecture, seen, signal);
  const { reference = 0 } = options;
  try {
    const judgeUniverse = async (universe: readonly Alignment[]) => {
      const moved: Checkpoint[] = [];
      for (const i of universe.keys()) {
        moved.push((await moveNetwork(originals, group, { universe, reference }, i)).network);
      }
      return merged.judge(moved);
    };
    return await matchUnits(architecture, networks, { ...options, judge: judgeUniverse }, report);
  } finally {
    await merged.release();
  }
}

/** Matches the networks by their weights or by their activations. */
async function matchUnits(
  { graph, engine }: Architecture,
  { originals, group }: ManyOriginals,
  options: Omit<AlignManyOptions, "judge"> & Pick<MatchManyOptions, "judge">,
  report: (share: number) => void,
): Promise<MatchManyResult> {
  const {
    normalize,
    symmetries: _,
    proof: __,
    onNote: ___,
    method,
    data,
    activations,
    ...matching
  } = options;
  const { symmetries } = group;
  const { signal } = matching;
  if (method !== "activation") {
    const networks = await canonicalForms(originals, group);
    const onProgress = ({ done }: { readonly done: number }) => report(done);
    return matchMany({ spec: wholeSpec(symmetries), graph, engine }, networks, { ...matching, onProgress });
  }
  const seen = examplesOf(data, "match activations");
  const sampled = await activationNetworks({ graph, engine, symmetries }, originals, seen, {
    ...activations,
    signal,
    onProgress: (done) => report(done / 2),
  });
  const { judge } = matching;
  const whole = (universe: readonly Alignment[]) =>
    universe.map((alignment) => wholeAlignment(symmetries, alignment));
  const result = await matchMany({ spec: sampled.spec, graph: undefined, engine }, sampled.networks, {
    ...matching,
    judge: judge && ((universe) => judge(whole(universe))),
    onProgress: ({ done }) => report((1 + done) / 2),
  });
  return { ...result, universe: whole(result.universe) };
}

/**
 * Returns the examples.
 * @throws UsageError if there are none
 */
function examplesOf(data: DataSet | undefined, attempt: string): DataSet {
  if (data !== undefined) return data;
  throw new UsageError(`Cannot ${attempt} as there must be data to run the networks on: give data`);
}

/** Returns networks without their scales, signs and rotations, if these are to be undone. */
async function canonicalForms(
  networks: readonly Checkpoint[],
  { symmetries, normalizing }: ProvenGroup,
): Promise<readonly Checkpoint[]> {
  if (normalizing === undefined) return networks;
  const { kinds, linear } = normalizing;
  const forms: Checkpoint[] = [];
  for (const network of networks) {
    forms.push((await canonicalize(network, { spec: symmetries.spec, linear }, { kinds })).network);
  }
  return forms;
}

/** A network in the coordinates of the reference, not yet proved. */
type MovedNetwork = Pick<AlignedNetwork, "alignment" | "network"> & Pick<AlignmentSummary, "normalized">;

/**
 * Permutes a network, and gives it the scales, signs and rotations that bring it closest to the reference.
 */
async function moveNetwork(
  networks: readonly Checkpoint[],
  { symmetries, normalizing }: ProvenGroup,
  { universe, reference }: Pick<MatchManyResult, "universe" | "reference">,
  i: number,
): Promise<MovedNetwork> {
  const [first, original] = [at(networks, reference, "reference"), at(networks, i, "network")];
  const alignment = at(universe, i, "network");
  if (i === reference || normalizing === undefined) {
    return { alignment, network: permute(alignment, original, wholeSpec(symmetries)) };
  }
  const { kinds, linear } = normalizing;
  const { network, distance } = await matchNormalized(
    [first, original],
    { ...symmetries, linear },
    kinds,
    async () => ({ alignment }),
  );
  return { alignment, network, normalized: { ...countForms(normalizing), distance } };
}

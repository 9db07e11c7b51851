import {
  asFloat32,
  at,
  type Checkpoint,
  createCheckpoint,
  DTYPES,
  entry,
  resolveOptions,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import {
  type Architecture,
  type Graph,
  probeGraph,
  randomInputs,
  randomWeights,
  runInSegments,
} from "@isthmus/graph";
import { handleEvents } from "@isthmus/platform";
import { type DistinctBlocks, leaveOutBlocks } from "../blocks/leave-out-blocks.ts";
import { TRIALS, type VerifyLinearResult } from "../linear/verify-linear-symmetries.ts";
import type { VerifyMixingResult } from "../mixing/verify-mixing.ts";
import { createComparison, errorOf } from "./compare-permuted.ts";
import { drawChanges, type JointSymmetries, kindsOf } from "./draw-changes.ts";
import { summarizeErrors, type ValueError } from "./summarize-errors.ts";
import { VALUE_TRIAL_DEFAULTS, type ValueTrialOptions } from "./trial-options.ts";
import type { VerifySymmetriesResult } from "./verify-symmetries.ts";

/** Results of {@link proveTogether}, all of which passed. */
export interface JointProof {
  /** Result for permutations. */
  readonly permutations: VerifySymmetriesResult;
  /** Result for each kind beyond permutation. */
  readonly linear: readonly VerifyLinearResult[];
  /** Result for mixtures; null if there are none. */
  readonly mixing: VerifyMixingResult | null;
  /**
   * Number of values that were not computed, as they belong to blocks that are like another block, whose
   * values were compared.
   */
  readonly alike: number;
}

/** Options of {@link proveTogether}. */
export interface ProveTogetherOptions extends ValueTrialOptions {
  /**
   * Number of elements of all computed values from which only one of several blocks that are alike is run; if
   * `weights` are given, all blocks are run. @defaultValue 2^25
   */
  readonly alikeFrom?: number;
}

/** Defaults of {@link ProveTogetherOptions}; the seed has none. */
const PROVE_TOGETHER_DEFAULTS: Required<Omit<ProveTogetherOptions, "seed">> = {
  ...VALUE_TRIAL_DEFAULTS,
  alikeFrom: 2 ** 25,
};

/**
 * Proves all symmetries of a graph at once: changes the weights by a random element of the whole group
 * (scales, signs and rotations, or a mixture, then a permutation), and compares every value that the graph
 * computes with the value that the composed change predicts. All changed networks are run side by side with
 * the network itself, segment by segment, so that one run of each serves all kinds, and neither all values
 * nor all changed weights are in memory at once.
 *
 * One composed element proves as much as its parts would alone. Each part acts on weights and on values as a
 * group does, so that the prediction of a composition is the composition of predictions. A part that is wrong
 * changes some value by a function of the random scales, matrices and weights that is analytic and not zero;
 * it cancels the error of another part only on a set of measure zero. As before, a permutation moves every
 * unit of every cell, further alignments distinguish tiny cells (see `trialAlignments`), and signs are drawn
 * anew for each of several networks. Networks beyond the number of alignments keep their units in place.
 *
 * @returns undefined if some value is beyond its tolerance, or weights are stored in other types than f32,
 *   whose rounding would add up: then each kind is to be proved by itself, which names what is wrong
 * @throws MismatchError if given weights do not fit the graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function proveTogether(
  architecture: Architecture,
  all: JointSymmetries,
  options: ProveTogetherOptions,
): Promise<JointProof | undefined> {
  const { engine } = architecture;
  const { seed, ...rest } = options;
  const resolved = resolveOptions("prove symmetries", PROVE_TOGETHER_DEFAULTS, rest, ["seed"]);
  const { weights, signal } = resolved;
  if (!storesFloats(architecture.graph, weights)) return undefined;
  const distinct = await leaveOutAlike(architecture, all, resolved);
  const { graph, symmetries } = distinct;
  const network = weights ?? createCheckpoint(randomWeights(graph, seed), {}, graph.name);
  await handleEvents();
  signal?.throwIfAborted();
  const changes = await drawChanges(network, symmetries, seed);
  if (changes === undefined) return undefined;
  const errors = changes.map((): ValueError[] => []);
  const nodeOf = new Map(graph.nodes.flatMap(({ name, outputs }) => outputs.map((value) => [value, name])));
  const comparisons = changes.map(({ alignment }) =>
    createComparison(graph, symmetries.permutations, alignment),
  );
  const scratch = new Scratch();
  await runInSegments(
    { graph, engine },
    {
      inputs: randomInputs(graph, symmetries.permutations.batch, seed),
      networks: [network, ...changes.map((change) => change.network)],
      signal,
    },
    (value, [before, ...after]) => {
      if (before === undefined) return;
      after.forEach((tensor, index) => {
        const change = at(changes, index, "change");
        if (change.unpredictable.has(value)) return;
        const predicted = scratch.copyOf(before);
        change.predictInPlace(value, predicted.data);
        const error = at(comparisons, index, "comparison")(value, predicted, tensor);
        if (error === undefined) return;
        at(errors, index, "list").push(errorOf({ value, node: entry(nodeOf, value, "node") }, error));
      });
    },
  );
  const summaryOf = (tried: readonly (readonly ValueError[])[]) => {
    const [first = []] = tried;
    const summary = summarizeErrors(graph, resolved, tried.flat(), new Map());
    return { ...summary, tensors: first.length };
  };
  const permutations = { ...summaryOf(errors), failedSymmetries: [], seed };
  if (!permutations.passed) return undefined;
  const linear = kindsOf(symmetries).map(
    (kind): VerifyLinearResult => ({ kind, ...summaryOf(errors.slice(0, TRIALS[kind])) }),
  );
  const mixed = errors.filter((_, index) => changes[index]?.isMixed);
  const [summary] = mixed.map((list) => summaryOf([list]));
  return {
    permutations,
    linear,
    mixing: summary === undefined ? null : { ...summary, restoredError: summary.outputError },
    alike: distinct.leftOut.length,
  };
}

/** Leaves blocks that are alike out of a large graph, unless its weights are given. */
async function leaveOutAlike(
  { graph, engine }: Architecture,
  symmetries: JointSymmetries,
  { weights, alikeFrom, signal }: Required<Omit<ProveTogetherOptions, "seed">>,
): Promise<DistinctBlocks> {
  const whole = { graph, symmetries, leftOut: [] };
  if (weights !== undefined) return whole;
  const probe = await probeGraph({ graph, engine }, { signal });
  await handleEvents();
  signal?.throwIfAborted();
  const computed = graph.nodes.flatMap(({ outputs }) => outputs);
  const elements = computed.reduce((sum, name) => sum + sizeOf(probe.types.get(name)?.shape ?? [0]), 0);
  return elements < alikeFrom ? whole : (leaveOutBlocks(graph, symmetries, probe) ?? whole);
}

/** Memory for one predicted value after the other, which saves allocating each. */
class Scratch {
  #elements = new Float32Array();

  /** Copies a tensor as f32; the copy is valid until the next one is made. */
  copyOf({ data, dtype, shape }: Tensor): Tensor & { readonly data: Float32Array } {
    if (this.#elements.length < data.length) this.#elements = new Float32Array(data.length);
    const copy = this.#elements.subarray(0, data.length);
    copy.set(asFloat32(data, dtype));
    return { dtype: "f32", shape, data: copy };
  }
}

/** Checks whether all floating-point weights are stored, and expected, in 32 bits. */
function storesFloats(graph: Graph, weights: Checkpoint | undefined): boolean {
  return [...graph.weights].every(([name, { dtype }]) => {
    const stored = weights?.tensors.get(name)?.dtype ?? dtype;
    return !DTYPES[dtype].float || (dtype === "f32" && stored === "f32");
  });
}

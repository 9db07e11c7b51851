import {
  asFloat32,
  at,
  type Checkpoint,
  createTensor,
  DTYPES,
  entry,
  resolveFields,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { bindWeights, type DataSet, type Graph, limitExamples } from "@isthmus/graph";
import {
  type Alignment,
  type ContinuousSymmetries,
  type DroppedMixture,
  exchangeParts,
  MIXING_GROUPS,
  type SymmetricArchitecture,
} from "@isthmus/symmetry";
import { assertFinite } from "../weights/read-parameters.ts";
import { streamGrams } from "./closed-form/stream-grams.ts";
import { changedWeights } from "./learning/changed-weights.ts";
import { JUDGED_BATCHES, learnSpaces } from "./learning/learn-spaces.ts";
import { createLearningKeeper, describeLearning, type LearningKeeper } from "./learning/learning-state.ts";
import { createMidpointMixer, type MidpointMixer } from "./learning/midpoint-mixer.ts";
import { createSoftMidpoint, type SoftMidpoint } from "./learning/soft-midpoint.ts";
import { matchExchanges } from "./match-exchanges.ts";
import {
  chooseLearnedOptions,
  LEARNED_RUN,
  MATCH_LEARNED_FIELDS,
  type MatchLearnedOptions,
} from "./match-learned-options.ts";
import { openFrame } from "./open-frame.ts";
import type { FramedPair, StreamFrame } from "./stream-frame.ts";
import { createTransform, type NetworkTransform } from "./transform-network.ts";
import { countFactors } from "./unit-factors.ts";

/** Options, all of which have values. */
type ResolvedOptions = Required<MatchLearnedOptions> & {
  readonly batchSize: number;
  readonly learningRate: number;
};

/** Result of {@link matchLearned}. */
export interface MatchLearnedResult {
  /** Alignment that permutes B, before its spaces are mixed. */
  readonly alignment: Alignment;
  /** Function that transforms a network as B is aligned to A; the network computes the same as before. */
  readonly transform: NetworkTransform;
  /** Symmetries beyond permutation that the transform uses. */
  readonly symmetries: ContinuousSymmetries;
  /** Mixtures that do not hold on the weights of one of the networks, so that they are not used. */
  readonly dropped: readonly DroppedMixture[];
  /**
   * Minus the loss half-way against the mean prediction of both ends, in nats: for B before it is aligned,
   * and after.
   */
  readonly objective: { readonly before: number; readonly after: number };
  /**
   * The same objective in closed form, and after descent by weights. Learning starts at the best of both and
   * of unchanged B.
   */
  readonly start: { readonly closedForm: number; readonly descent: number };
  /** Residual streams and other spaces that are mixed, by group. */
  readonly spaces: Readonly<Record<string, number>>;
  /** Signs and scales of units beside the spaces. */
  readonly units: { readonly signs: number; readonly scales: number };
  /** Number of units that learning moved away from the places in which weights had matched them. */
  readonly moved: number;
  /** Number of examples taken, from the first. */
  readonly examples: number;
  /** Steps made. */
  readonly steps: number;
  /** Step and loss, in nats, at which learning ended early as the loss was not finite; null if it did not. */
  readonly diverged: { readonly step: number; readonly loss: number } | null;
  /** Seed of all random choices. */
  readonly seed: number;
}

/**
 * Finds the element of the whole symmetry group of a network, rotations of residual streams and invertible
 * maps of heads included, for which the network half-way between A and B has the least loss.
 *
 * Three stages: a closed form by activations and weights, descent by weights, and learning by gradients of
 * the loss half-way against the mean prediction of both ends, for which no labels are needed. Permutations
 * are fixed after the second, unless `units` says otherwise. To move A as well could gain nothing: the group
 * acts linearly on weights, so a path from `gA` to `hB` is the path from `A` to `g^-1 h B`, moved by `g`.
 *
 * @see Theus, Cabodi et al., Generalized linear mode connectivity for transformers (2025), who learn the same
 *   group in a rewritten architecture; here the graph, and A, are not changed
 * @throws MismatchError if a checkpoint does not fit the graph, or the graph gives no logits
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws InputError if the data do not fit the graph
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchLearned(
  architecture: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MatchLearnedOptions,
): Promise<MatchLearnedResult> {
  const resolved = resolveFields("learn an alignment", MATCH_LEARNED_FIELDS, options, LEARNED_RUN);
  for (const network of networks) await assertFiniteWeights(architecture.graph, network);
  const { frame, dropped } = await openFrame(architecture, networks, resolved);
  const seen = limitExamples("learn an alignment", data, resolved.examples);
  const exchange = await openExchange(architecture, networks, frame, { ...resolved, data: seen });
  const [one, two] = [networks[0], await exchange(networks[1])];
  const [a, b] = [await frame.enter(one), await frame.enter(two)];
  const { batchSize: asked, learningRate } = chooseLearnedOptions(
    { graph: architecture.graph, data: seen },
    resolved,
  );
  const batchSize = Math.min(asked, seen.size);
  if (resolved.batchSize !== undefined && batchSize < asked) {
    resolved.onNote?.(
      `There are ${batchSize} examples to learn from, so a step takes all of them and not ${asked}`,
    );
  }
  const pair = { architecture, frame, a, b };
  const withRespectTo = changedWeights(architecture, frame).map(({ name }) => name);
  const midpoint = await createSoftMidpoint(architecture, [one, two], seen, { batchSize, withRespectTo });
  // Opened resources are released in turn, as `await using` would do on newer versions of Node.
  try {
    const mixer = await createMidpointMixer(pair);
    try {
      const options = { ...resolved, batchSize, learningRate };
      const before = await judgeUnaligned(architecture, networks, midpoint, resolved.signal);
      const result = await matchFramed(pair, [one, two], { seen, midpoint, mixer, before }, options);
      return { ...result, dropped, transform: async (network) => result.transform(await exchange(network)) };
    } finally {
      await mixer.release();
    }
  } finally {
    await midpoint.release();
  }
}

/** Options that decide how parts are matched. */
interface ExchangeOptions
  extends Pick<Required<MatchLearnedOptions>, "streamExamples" | "batchSize" | "signal"> {
  readonly data: DataSet;
}

/**
 * Finds which parts of B go to the places of A's, and returns the function that lets a network's parts change
 * places.
 */
async function openExchange(
  architecture: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  { symmetries: { exchanges } }: StreamFrame,
  { data, streamExamples, batchSize, signal }: ExchangeOptions,
): Promise<(network: Checkpoint) => Promise<Checkpoint>> {
  if (exchanges.length === 0) return async (network) => network;
  const examples = Math.min(streamExamples, data.size);
  const orders = await matchExchanges(architecture, networks, exchanges, {
    data,
    examples,
    batchSize: Math.min(batchSize ?? examples, examples),
    signal,
  });
  return async (network) => exchangeParts(network, exchanges, orders);
}

/** The examples, and the tools that measure networks half-way between both on them. */
interface LearningTools {
  readonly seen: DataSet;
  readonly midpoint: SoftMidpoint;
  readonly mixer: MidpointMixer;
  /** Minus the loss half-way to unaligned B, in nats. */
  readonly before: number;
}

/** Searches, and describes the result. */
async function matchFramed(
  pair: FramedPair,
  networks: readonly [Checkpoint, Checkpoint],
  { seen, midpoint, mixer, before }: LearningTools,
  options: ResolvedOptions,
): Promise<Omit<MatchLearnedResult, "dropped">> {
  const { architecture, frame } = pair;
  const { batchSize, signal, streamExamples, seed } = options;
  const gramsOf = () =>
    streamGrams(architecture, networks, frame.symmetries.mixing, {
      data: seen,
      examples: Math.min(streamExamples, seen.size),
      batchSize,
      signal,
    });
  // Without spaces and scales the result rests on permutations alone, and there is nothing to learn.
  const { symmetries, units, movable } = frame;
  const canLearn = symmetries.mixing.spaces.length + units.scales.weights.size + movable.length > 0;
  const chosen = { ...options, steps: canLearn ? options.steps : 0 };
  const keeper = await openKeeper(pair, networks, seen, chosen);
  const result = await learnSpaces(pair, gramsOf, { midpoint, mixer }, { ...chosen, keeper });
  return {
    alignment: result.spaces.alignment,
    transform: createTransform(architecture, frame, result.spaces, await frame.outsideOf(networks[0])),
    symmetries: frame.symmetries,
    objective: { before, after: result.after },
    start: { closedForm: result.objectives.closedForm, descent: result.objectives.descent },
    spaces: countSpaces(frame),
    units: countFactors(frame.units),
    moved: result.moved,
    examples: seen.size,
    steps: result.steps,
    diverged: result.diverged,
    seed,
  };
}

/** Options that must be the same for learning to go on from a state. */
const DECISIVE = [
  "seed",
  "steps",
  "batchSize",
  "learningRate",
  "heads",
  "at",
  "units",
  "rule",
  "rounds",
  "streamExamples",
] as const;

/** Opens the keeper of the state of learning, if a file is named for it and there is something to learn. */
async function openKeeper(
  pair: FramedPair,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: ResolvedOptions,
): Promise<LearningKeeper | undefined> {
  const { statePath: path, steps, onNote } = options;
  if (path === undefined || steps === 0) return undefined;
  const decisive = Object.fromEntries(DECISIVE.map((name) => [name, options[name]]));
  const run = await describeLearning(pair, networks, data, decisive);
  return createLearningKeeper(pair, { path, run, onNote });
}

/** Checks that weights are finite. @throws InputError if one is not; its tensor is named */
async function assertFiniteWeights({ weights }: Graph, network: Checkpoint): Promise<void> {
  for (const name of weights.keys()) {
    const { data, dtype } = await network.read(name);
    if (DTYPES[dtype].float) assertFinite(asFloat32(data, dtype), name, network.source);
  }
}

/** Measures the network half-way between A and unaligned B. */
async function judgeUnaligned(
  { graph }: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  midpoint: SoftMidpoint,
  signal: AbortSignal | undefined,
): Promise<number> {
  const [one, two] = [await bindWeights(graph, networks[0]), await bindWeights(graph, networks[1])];
  const middle = new Map<string, Tensor>();
  for (const [name, tensor] of one) {
    const other = entry(two, name, "weight");
    const left = toFloat64(tensor.data, tensor.dtype);
    const mean = toFloat64(other.data, other.dtype).map((value, i) => (value + at(left, i, "element")) / 2);
    middle.set(
      name,
      DTYPES[tensor.dtype].float ? createTensor("f32", tensor.shape, Float32Array.from(mean)) : tensor,
    );
  }
  return -(await midpoint.evaluate(middle, JUDGED_BATCHES, signal));
}

function countSpaces({ symmetries }: StreamFrame): Record<string, number> {
  const groups = symmetries.mixing.spaces.map(({ group }) => group);
  const present = MIXING_GROUPS.filter((group) => groups.includes(group));
  return Object.fromEntries(
    present.map((group) => [group, groups.filter((other) => other === group).length]),
  );
}

import {
  asFloat32,
  assertWholeOptions,
  at,
  type Checkpoint,
  createTensor,
  DTYPES,
  entry,
  OutOfRangeError,
  resolveOptions,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { bindWeights, type DataSet, type Graph, limitExamples } from "@isthmus/graph";
import {
  type Alignment,
  type ContinuousSymmetries,
  discoverContinuous,
  MIXING_GROUPS,
  type MixingGroup,
  type SymmetricArchitecture,
} from "@isthmus/symmetry";
import { lossOfData } from "@isthmus/training";
import { assertFinite } from "../weights/read-parameters.ts";
import { changedWeights } from "./changed-weights.ts";
import type { LearnProgress } from "./learn-mixture.ts";
import { JUDGED_BATCHES, learnSpaces } from "./learn-spaces.ts";
import { createLearningKeeper, describeLearning, type LearningKeeper } from "./learning-state.ts";
import { createMidpointMixer } from "./midpoint-mixer.ts";
import { createSoftMidpoint, type SoftMidpoint } from "./soft-midpoint.ts";
import { createStreamFrame, type FramedPair, type StreamFrame } from "./stream-frame.ts";
import { streamGrams } from "./stream-grams.ts";
import { createTransform, type NetworkTransform } from "./transform-network.ts";
import { countFactors } from "./unit-factors.ts";

/** Matrices that heads may be mixed by. */
export const HEAD_GROUPS = ["invertible", "orthogonal"] as const;

/** Options of {@link matchLearned}. */
export interface MatchLearnedOptions {
  /** Seed of the order of batches, and of weight matching. */
  readonly seed: number;
  /** Examples to learn from, from the first; labels are not used. @defaultValue 3000 */
  readonly examples?: number;
  /** Examples that residual streams are aligned by before, from the first. @defaultValue 200 */
  readonly streamExamples?: number;
  /** Steps of learning; 0 leaves the closed form as it is. @defaultValue 300 */
  readonly steps?: number;
  /** Examples in a step. @defaultValue 64; 16 of texts, whose examples have many positions */
  readonly batchSize?: number | undefined;
  /** Largest step in an element of a generator. @defaultValue 0.006; 0.02 of texts */
  readonly learningRate?: number | undefined;
  /**
   * Matrices that the inner dimensions of heads are mixed by. Invertible ones reach lower barriers where
   * networks are trained for long, orthogonal ones round less. @defaultValue "invertible"
   */
  readonly heads?: (typeof HEAD_GROUPS)[number];
  /** Rounds of descent by weights that are tried after the closed form. @defaultValue 20 */
  readonly rounds?: number;
  /**
   * File in which the state of learning is kept, a safetensors file. If it exists, learning goes on from it,
   * to the same bytes as if it had never stopped; a state of other networks, data or options is replaced. It
   * stays at the end, for who called to remove once the result is saved. @defaultValue none is written
   */
  readonly statePath?: string | undefined;
  /** Steps after which the state is written, and at the end. @defaultValue 20 */
  readonly saveEvery?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LearnProgress) => void) | undefined;
  /** Called with sentences for people, such as why learning starts anew. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** Defaults of {@link matchLearned}; the seed has none. */
export const MATCH_LEARNED_DEFAULTS: Required<Omit<MatchLearnedOptions, "seed">> = {
  examples: 3000,
  streamExamples: 200,
  steps: 300,
  batchSize: undefined,
  learningRate: undefined,
  heads: "invertible",
  rounds: 20,
  statePath: undefined,
  saveEvery: 20,
  signal: undefined,
  onProgress: undefined,
  onNote: undefined,
};

/** Options that all have been chosen. */
type ResolvedOptions = Required<MatchLearnedOptions> & {
  readonly batchSize: number;
  readonly learningRate: number;
};

/** Result of {@link matchLearned}. */
export interface MatchLearnedResult {
  /** Permutes B, before its spaces are mixed. */
  readonly alignment: Alignment;
  /** Does to a network what aligns B to A; it keeps computing what it computed. */
  readonly transform: NetworkTransform;
  /** The symmetries that it uses beyond permutation. */
  readonly symmetries: ContinuousSymmetries;
  /**
   * Minus the loss half-way against the mean prediction of both ends, in nats: for B as it was, and as it is
   * aligned.
   */
  readonly objective: { readonly before: number; readonly after: number };
  /**
   * The same in closed form, and after descent by weights. Learning starts at the best of both and of B as it
   * is.
   */
  readonly start: { readonly closedForm: number; readonly descent: number };
  /** Residual streams and other spaces that are mixed, by group. */
  readonly spaces: Readonly<Record<string, number>>;
  /** Signs and scales of units beside the spaces. */
  readonly units: { readonly signs: number; readonly scales: number };
  readonly examples: number;
  /** Steps made. */
  readonly steps: number;
  /** Where learning ended early as the loss was not finite, in nats; null if it did not. */
  readonly diverged: { readonly step: number; readonly loss: number } | null;
  readonly seed: number;
}

/** Examples and largest step of learning, by what is learned from. */
const IMAGES = { batchSize: 64, learningRate: 0.006 } as const;
const TEXTS = { batchSize: 16, learningRate: 0.02 } as const;

/**
 * Chooses the examples in a step and the largest step by what is learned from, where they are not said.
 * @throws InputError if data and graph do not fit each other
 */
export function chooseLearnedOptions(
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
  { batchSize, learningRate }: Pick<MatchLearnedOptions, "batchSize" | "learningRate"> = {},
): { readonly batchSize: number; readonly learningRate: number } {
  const usual = lossOfData(graph, data).kind === "next-token" ? TEXTS : IMAGES;
  return { batchSize: batchSize ?? usual.batchSize, learningRate: learningRate ?? usual.learningRate };
}

/**
 * Finds the element of the whole symmetry group of a network, rotations of residual streams and invertible
 * maps of heads included, for which the network half-way between A and B has the least loss.
 *
 * Three stages: a closed form by activations and weights, descent by weights, and learning by gradients of
 * the loss half-way against the mean prediction of both ends, for which no labels are needed. Permutations
 * are fixed after the second. To move A as well could gain nothing: the group acts linearly on weights, so a
 * path from `gA` to `hB` is the path from `A` to `g^-1 h B`, moved by `g`.
 *
 * @see Theus, Cabodi et al., Generalized linear mode connectivity for transformers (2025), who learn the same
 *   group in a rewritten architecture; here the graph, and A, stay as they are
 * @throws MismatchError if a checkpoint does not fit the graph, or the graph gives no logits
 * @throws UnsupportedError if an operator has no gradient rule, or a gain of a norm is 0
 * @throws InputError if the data do not fit the graph
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchLearned(
  architecture: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MatchLearnedOptions,
): Promise<MatchLearnedResult> {
  const { seed, ...rest } = options;
  const resolved = resolveOptions("learn an alignment", MATCH_LEARNED_DEFAULTS, rest, ["seed"]);
  assertOptions({ ...resolved, seed });
  for (const network of networks) await assertFiniteWeights(architecture.graph, network);
  const frame = await openFrame(architecture, resolved);
  const [a, b] = [await frame.enter(networks[0]), await frame.enter(networks[1])];
  const seen = limitExamples("learn an alignment", data, resolved.examples);
  const { batchSize, learningRate } = chooseLearnedOptions(
    { graph: architecture.graph, data: seen },
    resolved,
  );
  const pair = { architecture, frame, a, b };
  const withRespectTo = changedWeights(architecture.graph, frame).map(({ name }) => name);
  const midpoint = await createSoftMidpoint(architecture, networks, seen, { batchSize, withRespectTo });
  const mixer = await createMidpointMixer(pair);
  try {
    const gramsOf = () =>
      streamGrams(architecture, networks, frame.symmetries.mixing, {
        ...{ data: seen, examples: Math.min(resolved.streamExamples, seen.size) },
        ...{ batchSize, signal: resolved.signal },
      });
    // Without spaces and scales all rests on permutations, and there is nothing to learn.
    const canLearn = frame.symmetries.mixing.spaces.length + frame.units.scales.weights.size > 0;
    const steps = canLearn ? resolved.steps : 0;
    const chosen = { ...resolved, batchSize, learningRate, steps, seed };
    const keeper = await openKeeper(pair, networks, seen, chosen);
    const result = await learnSpaces(pair, gramsOf, { midpoint, mixer }, { ...chosen, keeper });
    return {
      alignment: result.spaces.alignment,
      transform: createTransform(architecture, frame, result.spaces, await frame.gainsOf(networks[0])),
      symmetries: frame.symmetries,
      objective: {
        before: await judgeUnaligned(architecture, networks, midpoint, resolved.signal),
        after: result.after,
      },
      start: { closedForm: result.objectives.closedForm, descent: result.objectives.descent },
      ...{ spaces: countSpaces(frame), units: countFactors(frame.units) },
      ...{ examples: seen.size, steps: result.steps, diverged: result.diverged, seed },
    };
  } finally {
    await mixer.release();
    await midpoint.release();
  }
}

/** Opens what keeps the state of learning, if a file is named for it and there is something to learn. */
async function openKeeper(
  pair: FramedPair,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: ResolvedOptions,
): Promise<LearningKeeper | undefined> {
  const {
    statePath: path,
    onNote,
    seed,
    steps,
    batchSize,
    learningRate,
    heads,
    rounds,
    streamExamples,
  } = options;
  if (path === undefined || steps === 0) return undefined;
  const decisive = { seed, steps, batchSize, learningRate, heads, rounds, streamExamples };
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

/** Measures the network half-way between A and B as they are. */
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

/** Discovers what may be mixed, and prepares the frame in which it is. */
async function openFrame(
  { graph, engine, symmetries }: SymmetricArchitecture,
  { heads, signal }: Pick<MatchLearnedOptions, "heads" | "signal">,
): Promise<StreamFrame> {
  const { linear, mixing } = await discoverContinuous({ graph, engine }, symmetries, { signal });
  const spaces = mixing.spaces.map((space) =>
    heads === "orthogonal" ? { ...space, group: lengthKeeping(space.group) } : space,
  );
  return createStreamFrame(graph, { linear, mixing: { ...mixing, spaces } });
}

/** Returns the matrices of a group that keep lengths. */
function lengthKeeping(group: MixingGroup): MixingGroup {
  if (group === "invertible") return "orthogonal";
  return group === "complex" ? "unit-complex" : group;
}

function countSpaces({ symmetries }: StreamFrame): Record<string, number> {
  const groups = symmetries.mixing.spaces.map(({ group }) => group);
  const present = MIXING_GROUPS.filter((group) => groups.includes(group));
  return Object.fromEntries(
    present.map((group) => [group, groups.filter((other) => other === group).length]),
  );
}

function assertOptions(
  options: Required<Omit<MatchLearnedOptions, "signal" | "onProgress" | "onNote">>,
): void {
  const least = { seed: 0, examples: 1, streamExamples: 1, steps: 0, batchSize: 1, rounds: 0, saveEvery: 1 };
  const { batchSize = 1, learningRate = 1, heads } = options;
  assertWholeOptions("learn an alignment", { ...options, batchSize }, least);
  if (!(learningRate > 0 && Number.isFinite(learningRate))) fail("learningRate", "above 0", learningRate);
  if (!HEAD_GROUPS.includes(heads)) fail("heads", HEAD_GROUPS.join(" or "), heads);
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot learn an alignment as "${option}" must be ${rule}: it is ${value}`);
}

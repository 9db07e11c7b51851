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
  identityAlignment,
  identityMixture,
  MIXING_GROUPS,
  type SymmetricArchitecture,
} from "@isthmus/symmetry";
import { lossOfData } from "@isthmus/training";
import { assertFinite } from "../weights/read-parameters.ts";
import { type AlignedSpaces, alignInClosedForm } from "./closed-form.ts";
import { descendSpaces } from "./descend-spaces.ts";
import {
  createMidpointWeights,
  type LearnMixtureOptions,
  type LearnProgress,
  learnMixture,
} from "./learn-mixture.ts";
import { createSoftMidpoint, type SoftMidpoint } from "./soft-midpoint.ts";
import { createStreamFrame, type FramedPair, type StreamFrame } from "./stream-frame.ts";
import { streamGrams } from "./stream-grams.ts";
import { createTransform, type NetworkTransform } from "./transform-network.ts";
import { countFactors, identityFactors, multiplied } from "./unit-factors.ts";

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
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LearnProgress) => void) | undefined;
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
  signal: undefined,
  onProgress: undefined,
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

/** Batches that candidates are judged by. */
const JUDGED_BATCHES = 16;

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
  const { batchSize, learningRate } = chooseLearnedOptions({ graph: architecture.graph, data }, resolved);
  const seen = limitExamples("learn an alignment", data, resolved.examples);
  const midpoint = await createSoftMidpoint(architecture, networks, seen, batchSize);
  try {
    const pair = { architecture, frame, a, b };
    const grams = await streamGrams(architecture, networks, frame.symmetries.mixing, {
      ...{ data: seen, examples: Math.min(resolved.streamExamples, seen.size) },
      ...{ batchSize, signal: resolved.signal },
    });
    // Without spaces and scales all rests on permutations, and there is nothing to learn.
    const canLearn = frame.symmetries.mixing.spaces.length + frame.units.scales.weights.size > 0;
    const steps = canLearn ? resolved.steps : 0;
    const result = await search(pair, grams, midpoint, { ...resolved, learningRate, steps, seed });
    return {
      alignment: result.spaces.alignment,
      transform: createTransform(architecture, frame, result.spaces, await frame.gainsOf(networks[0])),
      symmetries: frame.symmetries,
      objective: {
        before: await judgeUnaligned(architecture, networks, midpoint, resolved.signal),
        after: result.after,
      },
      ...{ start: result.start, spaces: countSpaces(frame), units: countFactors(frame.units) },
      ...{ examples: seen.size, steps: result.steps, diverged: result.diverged, seed },
    };
  } finally {
    await midpoint.release();
  }
}

/** Goes through the three stages, and judges where each ends. */
async function search(
  pair: FramedPair,
  grams: readonly Float64Array[],
  midpoint: SoftMidpoint,
  options: LearnMixtureOptions & { readonly rounds: number },
) {
  const judge = async ({ placed, mixture }: AlignedSpaces) => {
    const { scales } = identityFactors(pair.frame.units);
    const { weights } = createMidpointWeights({ ...pair, b: placed })({ mixture, scales });
    return -(await midpoint.evaluate(weights, JUDGED_BATCHES, options.signal));
  };
  const closed = await alignInClosedForm(pair, grams, options);
  const descended = await descendSpaces(pair, closed, options);
  const start = { closedForm: await judge(closed), descent: await judge(descended) };
  // Networks that are aligned already stay as they are.
  const asTheyAre = identitySpaces(pair);
  const candidates = [
    { spaces: asTheyAre, objective: await judge(asTheyAre) },
    { spaces: closed, objective: start.closedForm },
    { spaces: descended, objective: start.descent },
  ];
  const { spaces: better, objective: before } = candidates.reduce((best, candidate) =>
    candidate.objective > best.objective ? candidate : best,
  );
  if (options.steps === 0) {
    const after = before;
    options.onProgress?.({ done: 1, step: 0, steps: 0, loss: -after });
    return { spaces: better, start, after, steps: 0, diverged: null };
  }
  const { units } = pair.frame;
  const learned = await learnMixture({ ...pair, b: better.placed }, midpoint, better.mixture, options);
  const scales = better.factors.scales.map((scale, i) => scale * at(learned.scales, i, "variable"));
  const more = { ...identityFactors(units), scales: learned.scales };
  const spaces = {
    ...{ alignment: better.alignment, factors: { ...better.factors, scales }, mixture: learned.mixture },
    placed: multiplied(units, better.placed, more),
  };
  const reached = await judge(spaces);
  const { steps, diverged } = learned;
  // Too large a rate may lead away from where learning started.
  return reached > before
    ? { spaces, start, after: reached, steps, diverged }
    : { spaces: better, start, after: before, steps, diverged };
}

/** Checks that weights are finite. @throws InputError if one is not; its tensor is named */
async function assertFiniteWeights({ weights }: Graph, network: Checkpoint): Promise<void> {
  for (const name of weights.keys()) {
    const { data, dtype } = await network.read(name);
    if (DTYPES[dtype].float) assertFinite(asFloat32(data, dtype), name, network.source);
  }
}

/** Leaves B as it is, but for the gains of its norms, which become A's. */
function identitySpaces({ architecture, frame, b }: FramedPair): AlignedSpaces {
  return {
    alignment: identityAlignment(architecture.symmetries.spec),
    factors: identityFactors(frame.units),
    mixture: identityMixture(frame.symmetries.mixing.spaces),
    placed: b,
  };
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
    heads === "orthogonal" && space.group === "invertible"
      ? { ...space, group: "orthogonal" as const }
      : space,
  );
  return createStreamFrame(graph, { linear, mixing: { ...mixing, spaces } });
}

function countSpaces({ symmetries }: StreamFrame): Record<string, number> {
  const groups = symmetries.mixing.spaces.map(({ group }) => group);
  const present = MIXING_GROUPS.filter((group) => groups.includes(group));
  return Object.fromEntries(
    present.map((group) => [group, groups.filter((other) => other === group).length]),
  );
}

function assertOptions(options: Required<Omit<MatchLearnedOptions, "signal" | "onProgress">>): void {
  const least = { seed: 0, examples: 1, streamExamples: 1, steps: 0, batchSize: 1, rounds: 0 };
  const { batchSize = 1, learningRate = 1, heads } = options;
  assertWholeOptions("learn an alignment", { ...options, batchSize }, least);
  if (!(learningRate > 0 && Number.isFinite(learningRate))) fail("learningRate", "above 0", learningRate);
  if (!HEAD_GROUPS.includes(heads)) fail("heads", HEAD_GROUPS.join(" or "), heads);
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot learn an alignment as "${option}" must be ${rule}: it is ${value}`);
}

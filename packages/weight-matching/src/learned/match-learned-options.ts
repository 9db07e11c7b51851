import { assertWholeOptions, OutOfRangeError } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { lossOfData } from "@isthmus/training";
import { LEARNED_PLACES } from "./learning/blend.ts";
import type { LearnProgress } from "./learning/learn-mixture.ts";
import { LEARNED_RULES, type LearnedRule } from "./learning/orthogonal-step.ts";

/** Matrices that heads may be mixed by. */
export const HEAD_GROUPS = ["invertible", "orthogonal"] as const;

/** Whether units stay where they were matched while learning goes on. */
export const LEARNED_UNITS = ["fixed", "straight-through"] as const;

/** Options of `matchLearned`. */
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
  /**
   * Where on the way from A to B each step lowers the loss: always half-way, or at a place that is drawn
   * evenly for each step from the seed. @defaultValue "half"
   */
  readonly at?: (typeof LEARNED_PLACES)[number];
  /**
   * Whether hidden units stay where weights matched them, or are permuted again at each step: by the
   * assignment to scores that follow the gradient straight through it. @defaultValue "fixed"
   */
  readonly units?: (typeof LEARNED_UNITS)[number];
  /**
   * How a step in a matrix is made of gradients: by Adam, element by element, or as the orthogonal factor of
   * their mean, as Muon does. Scales, scores and complex numbers take Adam's. @defaultValue "adam"
   */
  readonly rule?: LearnedRule;
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

/** Defaults of `matchLearned`; the seed has none. */
export const MATCH_LEARNED_DEFAULTS: Required<Omit<MatchLearnedOptions, "seed">> = {
  examples: 3000,
  streamExamples: 200,
  steps: 300,
  batchSize: undefined,
  learningRate: undefined,
  heads: "invertible",
  at: "half",
  units: "fixed",
  rule: "adam",
  rounds: 20,
  statePath: undefined,
  saveEvery: 20,
  signal: undefined,
  onProgress: undefined,
  onNote: undefined,
};

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
 * Checks the options of {@link MatchLearnedOptions}.
 * @throws OutOfRangeError if one is out of range
 */
export function assertLearnedOptions(
  options: Required<Omit<MatchLearnedOptions, "signal" | "onProgress" | "onNote">>,
): void {
  const least = { seed: 0, examples: 1, streamExamples: 1, steps: 0, batchSize: 1, rounds: 0, saveEvery: 1 };
  const { batchSize = 1, learningRate = 1, heads, at, units, rule } = options;
  assertWholeOptions("learn an alignment", { ...options, batchSize }, least);
  if (!(learningRate > 0 && Number.isFinite(learningRate))) fail("learningRate", "above 0", learningRate);
  if (!HEAD_GROUPS.includes(heads)) fail("heads", HEAD_GROUPS.join(" or "), heads);
  if (!LEARNED_PLACES.includes(at)) fail("at", LEARNED_PLACES.join(" or "), at);
  if (!LEARNED_RULES.includes(rule)) fail("rule", LEARNED_RULES.join(" or "), rule);
  if (!LEARNED_UNITS.includes(units)) fail("units", LEARNED_UNITS.join(" or "), units);
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot learn an alignment as "${option}" must be ${rule}: it is ${value}`);
}

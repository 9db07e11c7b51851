import {
  BATCH_SIZE_FIELD,
  choiceField,
  defaultsOf,
  examplesField,
  type FieldsOf,
  fieldOf,
  numberField,
  seedField,
  wholeField,
} from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";
import { lossOfData } from "@isthmus/training";
import { LEARNED_PLACES } from "./learning/blend.ts";
import type { LearnProgress } from "./learning/learn-mixture.ts";
import { LEARNED_RULES, type LearnedRule } from "./learning/orthogonal-step.ts";

/** Matrices that heads may be mixed by. */
export const HEAD_GROUPS = ["invertible", "orthogonal"] as const;

/**
 * Ways to treat hidden units during learning: `fixed` keeps the permutation that was matched before, and
 * `straight-through` permutes units again.
 */
export const LEARNED_UNITS = ["fixed", "straight-through"] as const;

/** Networks that learning moves: all but the first, or the first as well. */
export const LEARNED_ENDS = ["one", "both"] as const;

/** Options of `matchLearned` that decide what is learned. */
export interface LearnedChoice {
  /** Seed of the order of batches, and of weight matching. */
  readonly seed: number;
  /** Examples to learn from, from the first; labels are not used. @defaultValue 3000 */
  readonly examples?: number;
  /** Number of the first examples by which residual streams are aligned before learning. @defaultValue 200 */
  readonly streamExamples?: number;
  /** Steps of learning; with 0 the result is the start of learning. @defaultValue 300 */
  readonly steps?: number;
  /** Examples in a step. @defaultValue 64; 16 of texts, whose examples have many positions */
  readonly batchSize?: number | undefined;
  /** Largest step in an element of a generator. @defaultValue 0.006; 0.02 of texts */
  readonly learningRate?: number | undefined;
  /**
   * Matrices that the inner dimensions of heads are mixed by. Invertible ones reach lower barriers if
   * networks are trained for long, orthogonal ones round less. @defaultValue "invertible"
   */
  readonly heads?: (typeof HEAD_GROUPS)[number];
  /**
   * Place between the networks at which each step lowers the loss: always half-way, which is the mean of
   * more than two, or drawn evenly for each step from the seed. @defaultValue "half"
   */
  readonly at?: (typeof LEARNED_PLACES)[number];
  /**
   * Whether hidden units keep the places in which weights matched them, or are permuted again at each step:
   * by the assignment to scores that follow the gradient straight through it. @defaultValue "fixed"
   */
  readonly units?: (typeof LEARNED_UNITS)[number];
  /**
   * Rule by which a step in a matrix is made of gradients: by Adam, element by element, or as the orthogonal
   * factor of their mean, as Muon does. Scales, scores and complex numbers take Adam's. @defaultValue "adam"
   */
  readonly rule?: LearnedRule;
  /**
   * Whether the first network stays while the others learn, or learns as well; then all are moved by its
   * inverse in the end, so that it is unchanged. As its gradient is minus the sum of the others', a pair
   * that learns at both ends learns as at one with steps twice as large, but for what the order of rotations
   * makes. @defaultValue "one"
   */
  readonly ends?: (typeof LEARNED_ENDS)[number];
  /** Rounds of descent by weights that are tried after the closed form. @defaultValue 20 */
  readonly rounds?: number;
}

/** Options of `matchLearned`. */
export interface MatchLearnedOptions extends LearnedChoice {
  /**
   * File in which the state of learning is kept, a safetensors file. If it exists, learning goes on from it,
   * to the same bytes as if it had never stopped; a state of other networks, data or options is replaced. The
   * file stays at the end: the caller removes it once the result is saved. @defaultValue none is written
   */
  readonly statePath?: string | undefined;
  /** Steps after which the state is written, and at the end. @defaultValue 20 */
  readonly saveEvery?: number;
  /**
   * Signal that stops learning; the state is saved first if there is a file for it.
   * @defaultValue never stopped
   */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step of learning. @defaultValue nothing is called */
  readonly onProgress?: ((progress: LearnProgress) => void) | undefined;
  /** Called with notes for the user, such as why learning starts anew. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/** Most steps of learning, and most rounds of descent: more would run for years. */
const MOST_STEPS = 1_000_000;

/** Fields of {@link LearnedChoice}. */
export const LEARNED_FIELDS: FieldsOf<LearnedChoice> = {
  seed: seedField("seed of the order of batches, and of matching by weights"),
  examples: examplesField({ least: 1, default: 3000, help: "match by the first n examples only" }),
  streamExamples: examplesField({
    least: 1,
    default: 200,
    help: "examples that residual streams are aligned by before",
  }),
  steps: wholeField({
    least: 0,
    most: MOST_STEPS,
    default: 300,
    help: "steps of learning; 0 is the closed form alone",
  }),
  batchSize: fieldOf<number>(BATCH_SIZE_FIELD.form, {
    help: "examples in a step of learning, such as 64 texts, which learn more steadily (default: 64; 16 of texts)",
  }),
  learningRate: numberField({
    above: 0,
    help: "largest step of learning (default: 0.006; 0.02 of texts)",
  }),
  heads: choiceField(HEAD_GROUPS, {
    default: "invertible",
    help: "matrices that attention heads are mixed by: any invertible ones, or orthogonal ones, which round less",
  }),
  at: choiceField(LEARNED_PLACES, {
    default: "half",
    keyed: "if-changed",
    help: "where between both networks learning makes its steps: half-way, or at a place drawn for each step",
  }),
  units: choiceField(LEARNED_UNITS, {
    default: "fixed",
    keyed: "if-changed",
    help: "whether hidden units stay where weights matched them while rotations are learned, or are permuted again at each step, by gradients that pass straight through",
  }),
  rule: choiceField(LEARNED_RULES, {
    default: "adam",
    keyed: "if-changed",
    help: "how learning steps in matrices: element by element, or in all directions alike, as Muon does",
  }),
  ends: choiceField(LEARNED_ENDS, {
    default: "one",
    keyed: "if-changed",
    help: "whether the first network stays while the others learn, or learns as well and is brought back in the end",
  }),
  rounds: wholeField({
    least: 0,
    most: MOST_STEPS,
    default: 20,
    help: "rounds of descent by weights after the closed form",
  }),
};

/** Fields of all options of `matchLearned` that are plain data. */
export const MATCH_LEARNED_FIELDS: FieldsOf<LearnedChoice & Pick<MatchLearnedOptions, "saveEvery">> = {
  ...LEARNED_FIELDS,
  saveEvery: wholeField({ least: 1, default: 20, help: "steps after which the state is written" }),
};

/** Defaults of the ports of `matchLearned`. */
export const LEARNED_RUN: Required<Omit<MatchLearnedOptions, keyof typeof MATCH_LEARNED_FIELDS>> = {
  statePath: undefined,
  signal: undefined,
  onProgress: undefined,
  onNote: undefined,
};

const { seed: _, ...defaults } = defaultsOf(MATCH_LEARNED_FIELDS);

/** Defaults of `matchLearned`; the seed has none. */
export const MATCH_LEARNED_DEFAULTS: Required<Omit<MatchLearnedOptions, "seed">> = {
  ...defaults,
  ...LEARNED_RUN,
};

/** Examples in a step and largest step of learning, by kind of data. */
const IMAGES = { batchSize: 64, learningRate: 0.006 } as const;
const TEXTS = { batchSize: 16, learningRate: 0.02 } as const;

/**
 * Chooses the examples in a step and the largest step by the kind of data, if they are not given.
 * @throws InputError if data and graph do not fit each other
 */
export function chooseLearnedOptions(
  { graph, data }: { readonly graph: Graph; readonly data: DataSet },
  { batchSize, learningRate }: Pick<MatchLearnedOptions, "batchSize" | "learningRate"> = {},
): { readonly batchSize: number; readonly learningRate: number } {
  const usual = lossOfData(graph, data).kind === "next-token" ? TEXTS : IMAGES;
  return { batchSize: batchSize ?? usual.batchSize, learningRate: learningRate ?? usual.learningRate };
}

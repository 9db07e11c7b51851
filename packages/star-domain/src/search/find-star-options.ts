import {
  assertWholeOptions,
  type Checkpoint,
  choiceField,
  defaultsOf,
  examplesField,
  type FieldsOf,
  resolveFields,
  triesField,
  wholeField,
} from "@isthmus/core";
import type { TrainOptions, TrainProgress } from "@isthmus/training";
import { RAY_DISTRIBUTIONS, type RayDistribution } from "./ray.ts";

/** Progress of {@link findStar}. */
export type FindStarProgress =
  | TrainProgress
  | {
      /** Work under way: the alignment of anchors to the star. */
      readonly phase: "aligning";
      /** Share of the anchors that are aligned, in `[0, 1]`. */
      readonly done: number;
      /** Epoch before which anchors are aligned, from 0. */
      readonly epoch: number;
      /** Anchors aligned so far, of {@link anchors}. */
      readonly aligned: number;
      /** Number of all anchors to align. */
      readonly anchors: number;
    }
  | {
      /** Trial of one start of several. */
      readonly phase: "trying starts";
      /** Share of all trials that is done, in `[0, 1]`. */
      readonly done: number;
      /** Index of the start that is tried, from 0. */
      readonly start: number;
      /** Number of all starts. */
      readonly starts: number;
    }
  | { /** Measurement of batch norms. */ readonly phase: "measuring statistics"; readonly done: number };

/** Options of the search for a star, beside its training. */
export interface StarSearchChoice {
  /** Distribution of places on the segments to anchors. @defaultValue "uniform" */
  readonly rays?: RayDistribution;
  /**
   * Number of epochs from one alignment of the anchors to the star to the next; the first one is before the
   * first epoch; 0 for no alignments.
   * @defaultValue 1
   */
  readonly alignEvery?: number;
  /** Number of searches of each alignment, at least 1. @defaultValue 1 */
  readonly restarts?: number;
  /**
   * Number of examples, the first ones, on which batch norms are measured before alignments and at the end.
   * @defaultValue 10000
   */
  readonly statisticsExamples?: number;
  /**
   * Number of starts, at least 1 and at most the number of anchors, and one more if a start is given. Each of
   * several is tried for a tenth of the epochs, and the search begins at the one with the lowest loss on
   * rays. The first is the given one, if there is one; the others are means of the anchors, aligned to the
   * first anchor, to the second, and so on.
   * @defaultValue 1
   */
  readonly starts?: number;
}

/** Largest number of epochs between two alignments. */
const MOST_EPOCHS = 100_000;

/** Fields of {@link StarSearchChoice}. */
export const STAR_SEARCH_FIELDS: FieldsOf<StarSearchChoice> = {
  rays: choiceField<RayDistribution>(RAY_DISTRIBUTIONS, {
    default: "uniform",
    placeholder: "<distribution>",
    help: "how places between star and anchor are drawn: evenly, by Beta(2, 2), or the middle",
  }),
  alignEvery: wholeField({
    least: 0,
    most: MOST_EPOCHS,
    default: 1,
    placeholder: "<epochs>",
    help: "align the anchors to the star before every so many epochs; 0 for never",
  }),
  restarts: triesField({
    least: 1,
    default: 1,
    help: "number of searches for each of these alignments, of which the best is taken",
  }),
  statisticsExamples: examplesField({
    least: 1,
    default: 10_000,
    rare: true,
    help: "examples, the first ones, on which batch norms are measured before alignments and at the end",
  }),
  starts: triesField({
    least: 1,
    default: 1,
    keyed: "if-changed",
    help: "starts to try for a tenth of the epochs each, of which the one with the lowest loss on rays is taken: means of the anchors, aligned to one of them after another",
  }),
};

/** Options of `findStar` that are not options of training. */
interface SearchOptions extends StarSearchChoice {
  /**
   * Number of bytes of anchors to hold in memory; other anchors are read again when they are drawn.
   * @defaultValue 1 GiB
   */
  readonly memory?: number;
}

/**
 * Options of `findStar`: the options of training, with an `onProgress` that reports more, and options of the
 * search.
 */
export interface FindStarOptions
  extends Omit<TrainOptions, "onProgress" | "onEpoch" | "collect" | "evaluationData">,
    SearchOptions {
  /**
   * Weights at which the star starts, for example random ones.
   * @defaultValue the mean of the anchors, each aligned to the first
   */
  readonly start?: Checkpoint | undefined;
  /** Called after every step, and while anchors are aligned. */
  readonly onProgress?: ((progress: FindStarProgress) => void) | undefined;
}

/**
 * Defaults of the options of `findStar` that are not options of training; `TRAIN_DEFAULTS` has the others.
 */
export const FIND_STAR_DEFAULTS: Required<SearchOptions> = {
  ...defaultsOf(STAR_SEARCH_FIELDS),
  memory: 2 ** 30,
};

/** Options of the search, and options of training, separated. */
export interface ResolvedFindStarOptions {
  /** Options of the search, defaults included. */
  readonly search: Required<SearchOptions>;
  /** Options of training as they were given. */
  readonly training: Omit<TrainOptions, "onProgress" | "onEpoch" | "collect" | "evaluationData">;
}

/**
 * Separates the options of the search from the options of training, and checks the former.
 * @throws OutOfRangeError if a number of the search is out of its range
 */
export function resolveFindStarOptions(options: Omit<FindStarOptions, "start">): ResolvedFindStarOptions {
  const {
    rays,
    alignEvery,
    restarts,
    memory,
    statisticsExamples,
    starts,
    onProgress: _,
    ...training
  } = options;
  const chosen = { rays, alignEvery, restarts, statisticsExamples, starts, memory };
  const search = resolveFields("find a star", STAR_SEARCH_FIELDS, chosen, {
    memory: FIND_STAR_DEFAULTS.memory,
  });
  assertWholeOptions("find a star", search, { memory: 1 });
  return { search, training };
}

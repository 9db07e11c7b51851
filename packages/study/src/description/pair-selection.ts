import type { LearnedChoice } from "@isthmus/weight-matching";
import type { WantedValues } from "./wanted-values.ts";

/**
 * Which networks are measured two by two: networks of one group that differ in one variable only, or every
 * network of one group with every network of another whose other variables have equal values, as far as both
 * have them.
 */
export interface PairSelection {
  /** Name of a group of networks, or of two. */
  readonly between: string | readonly [string, string];
  /** The variable they differ in. @defaultValue "seed" */
  readonly across?: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /**
   * Which networks of one group are paired: all with all, each with the next, or the first with the second,
   * the third with the fourth, and so on.
   * @defaultValue "all"
   */
  readonly choose?: PairChoice;
  /** Whether the second network is aligned to the first. @defaultValue "none" */
  readonly align?: AlignChoice;
  /** Searches of the alignment by weights. @defaultValue the default of `matchWeights` */
  readonly restarts?: number;
  /** How alignments by activations and learned ones are found; the others do not read it. */
  readonly match?: MatchChoice;
}

/** See {@link PairSelection}. */
export type PairChoice = "all" | "consecutive" | "disjoint";

/** Names of all ways to align the second network of a pair to the first, see {@link AlignChoice}. */
export const ALIGN_CHOICES = ["none", "weight", "activation", "learned"] as const;

/**
 * How the second network of a pair is aligned to the first: not at all, by permutations that match weights
 * or activations, or by the whole symmetry group, rotations included, which is learned.
 */
export type AlignChoice = (typeof ALIGN_CHOICES)[number];

/**
 * The examples by which networks are matched, and how an alignment is learned; options that are missing have
 * the defaults of `matchActivations` and `matchLearned`.
 */
export interface MatchChoice
  extends Omit<LearnedChoice, "seed" | "streamExamples" | "batchSize" | "learningRate" | "rounds"> {
  /**
   * Name of the examples, of which labels are not used.
   * @defaultValue the examples that both networks were trained on
   */
  readonly data?: string;
  /** Examples in a step of learning. */
  readonly batch?: number;
  /** Largest step of learning in an element of a generator. */
  readonly learningRate?: number;
}

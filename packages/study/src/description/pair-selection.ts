import type { LearnedChoice } from "@isthmus/weight-matching";
import type { WantedValues } from "./wanted-values.ts";

/**
 * Selection of the networks that are measured two by two: networks of one group that differ in one variable
 * only, or every network of one group with every network of another whose other variables have equal values,
 * as far as both have them.
 */
export interface PairSelection {
  /** Name of a group of networks, or of two. */
  readonly between: string | readonly [string, string];
  /** Variable in which the networks of a pair differ. @defaultValue "seed" */
  readonly across?: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /**
   * Choice of the pairs in one group: all with all, each with the next, or the first with the second, the
   * third with the fourth, and so on.
   * @defaultValue "all"
   */
  readonly choose?: PairChoice;
  /** Whether the second network is aligned to the first. @defaultValue "none" */
  readonly align?: AlignChoice;
  /** Number of searches for an alignment by weights. @defaultValue the default of `matchWeights` */
  readonly restarts?: number;
  /** Options of alignments by activations and of learned alignments; other alignments ignore them. */
  readonly match?: MatchChoice;
}

/** Choice of the pairs in one group, see `choose` of {@link PairSelection}. */
export type PairChoice = "all" | "consecutive" | "disjoint";

/** Names of all ways to align the second network of a pair to the first, see {@link AlignChoice}. */
export const ALIGN_CHOICES = ["none", "weight", "activation", "learned"] as const;

/**
 * Way to align the second network of a pair to the first: none, permutations that match weights or
 * activations, or the whole symmetry group, rotations included, which is learned.
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

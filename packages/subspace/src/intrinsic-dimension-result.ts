import type { SubspaceScope } from "./create-subspace.ts";
import type { ProjectionKind } from "./projection/projection.ts";
import type { DimensionInterval } from "./search/log-interval.ts";

/** What a training reached on the evaluation data. */
export interface SeedAccuracy {
  readonly seed: number;
  readonly accuracy: number;
  readonly loss: number;
}

/** What a training in a subspace reached. */
export interface SubspaceAccuracy extends SeedAccuracy {
  readonly dimension: number;
}

/** Where one seed's accuracies cross the line. */
export interface SeedCrossing {
  readonly seed: number;
  /** Null if no measured dimension reaches the line. */
  readonly dimension: number | null;
}

/** What is reached without training, and whether training reaches more. */
export interface UntrainedAccuracy {
  /** Networks as they start, in no dimension at all, one for each seed. */
  readonly start: readonly SeedAccuracy[];
  /** Accuracy of the most frequent class for all examples; absent where labels are not of whole examples. */
  readonly guess?: number;
  /** Whether the mean accuracy of the starts reaches the line. */
  readonly startReaches: boolean;
  /**
   * Whether the mean accuracy of full trainings is above both by more than 3 standard errors, and the line
   * is above both; if not, the dimension says nothing.
   */
  readonly learned: boolean;
}

/** Intrinsic dimension of a task for a network. */
export interface IntrinsicDimensionResult {
  readonly kind: "intrinsic-dimension";
  /**
   * The smallest measured dimension that reaches the line, by the mean over seeds and a fit that rises with
   * the dimension; null if none does.
   */
  readonly dimension: number | null;
  /** Where that fit crosses the line between measured dimensions, on a logarithmic scale; null likewise. */
  readonly crossing: number | null;
  /** Where the accuracies of each seed alone cross it, likewise. */
  readonly crossings: readonly SeedCrossing[];
  /**
   * 95 % interval of the geometric mean of the seeds' crossings, by Student's t; absent for a single seed, or
   * if one does not reach the line.
   */
  readonly interval?: DimensionInterval;
  /** Share of the full network's accuracy that is to be reached. */
  readonly threshold: number;
  /** The share of the mean accuracy of full trainings: the accuracy to be reached. */
  readonly line: number;
  /** Full trainings, one for each seed. */
  readonly baseline: readonly SeedAccuracy[];
  /** What is reached without training; absent in results of earlier versions. */
  readonly untrained?: UntrainedAccuracy;
  /** Trainings in subspaces, by rising dimension, then in the order of the seeds. */
  readonly points: readonly SubspaceAccuracy[];
  /** Number of trained parameters, the largest dimension there is. */
  readonly parameters: number;
  readonly projection: ProjectionKind;
  readonly scope: SubspaceScope;
  /** How wide the last bracket may be, as a share of its lower end. */
  readonly resolution: number;
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: string;
  /** The largest learning rate in subspaces. */
  readonly learningRate: number;
  /** The largest learning rate of full trainings. */
  readonly baselineLearningRate: number;
  readonly network: string;
  readonly data: string;
  readonly examples: number;
  readonly evaluationData: string;
  readonly evaluationExamples: number;
  readonly engine: string;
}

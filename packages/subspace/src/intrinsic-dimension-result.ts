import type { SubspaceScope } from "./create-subspace.ts";
import type { ProjectionKind } from "./projection/projection.ts";
import type { DimensionInterval } from "./search/log-interval.ts";

/** Accuracy and loss of one training on the evaluation data. */
export interface SeedAccuracy {
  readonly seed: number;
  readonly accuracy: number;
  readonly loss: number;
}

/** Accuracy and loss of one training in a subspace, on the evaluation data. */
export interface SubspaceAccuracy extends SeedAccuracy {
  readonly dimension: number;
}

/** Dimension at which the accuracies of one seed cross the line. */
export interface SeedCrossing {
  readonly seed: number;
  /** Dimension of the crossing; null if no measured dimension reaches the line. */
  readonly dimension: number | null;
}

/** Accuracies without training, and whether training reaches more. */
export interface UntrainedAccuracy {
  /** Accuracies of the networks before training, one for each seed. */
  readonly start: readonly SeedAccuracy[];
  /**
   * Accuracy of predicting the most frequent class for all examples; absent if labels do not belong to whole
   * examples.
   */
  readonly guess?: number;
  /** Whether the mean accuracy of the starts reaches the line. */
  readonly startReaches: boolean;
  /**
   * Whether the mean accuracy of full trainings is above both accuracies without training by more than 3
   * standard errors, and the line is above both; if not, the dimension is meaningless.
   */
  readonly learned: boolean;
}

/** Intrinsic dimension of a task for a network. */
export interface IntrinsicDimensionResult {
  readonly kind: "intrinsic-dimension";
  /**
   * Smallest measured dimension that reaches the line, by the mean over seeds and a fit that rises with the
   * dimension; null if no dimension does.
   */
  readonly dimension: number | null;
  /**
   * Dimension at which that fit crosses the line between measured dimensions, on a logarithmic scale; null if
   * no dimension reaches the line.
   */
  readonly crossing: number | null;
  /** Dimensions at which the accuracies of each seed alone cross the line, by a rising fit as well. */
  readonly crossings: readonly SeedCrossing[];
  /**
   * 95 % interval of the geometric mean of the seeds' crossings, by Student's t; absent if there is a single
   * seed, or if a seed does not reach the line.
   */
  readonly interval?: DimensionInterval;
  /** Share of the full network's accuracy that must be reached. */
  readonly threshold: number;
  /** Accuracy to be reached: that share of the mean accuracy of full trainings. */
  readonly line: number;
  /** Results of full trainings, one for each seed. */
  readonly baseline: readonly SeedAccuracy[];
  /** Accuracies without training; absent in results of earlier versions. */
  readonly untrained?: UntrainedAccuracy;
  /** Results of trainings in subspaces, by rising dimension, then in the order of the seeds. */
  readonly points: readonly SubspaceAccuracy[];
  /** Number of trained parameters, which is the largest possible dimension. */
  readonly parameters: number;
  readonly projection: ProjectionKind;
  readonly scope: SubspaceScope;
  /** Largest width of the last bracket, as a share of its lower end. */
  readonly resolution: number;
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: string;
  /** Largest learning rate in subspaces. */
  readonly learningRate: number;
  /** Largest learning rate of full trainings. */
  readonly baselineLearningRate: number;
  readonly network: string;
  readonly data: string;
  readonly examples: number;
  readonly evaluationData: string;
  readonly evaluationExamples: number;
  readonly engine: string;
}

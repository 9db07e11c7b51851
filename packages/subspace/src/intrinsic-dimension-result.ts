import type { SubspaceScope } from "./create-subspace.ts";
import type { ProjectionKind } from "./projection/projection.ts";
import type { DimensionInterval } from "./search/log-interval.ts";

/** Accuracy and loss of one training on the evaluation data. */
export interface SeedAccuracy {
  /** Seed of the start of the network, the subspace and the order of examples. */
  readonly seed: number;
  /** Share of the evaluation examples that are classified correctly, in `[0, 1]`. */
  readonly accuracy: number;
  /** Mean loss over the evaluation examples, in nats. */
  readonly loss: number;
}

/** Accuracy and loss of one training in a subspace, on the evaluation data. */
export interface SubspaceAccuracy extends SeedAccuracy {
  /** Dimension of the random subspace in which the network was trained. */
  readonly dimension: number;
}

/** Dimension at which the accuracies of one seed cross the line. */
export interface SeedCrossing {
  /** Seed whose trainings in all dimensions are considered. */
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
  /**
   * Whether networks before training already reach, by the mean of `start`, the accuracy that defines the
   * dimension.
   */
  readonly startReaches: boolean;
  /**
   * Whether the mean accuracy of full trainings is above both accuracies without training by more than 3
   * standard errors, and the line is above both; if not, the dimension is meaningless.
   */
  readonly learned: boolean;
}

/** Intrinsic dimension of a task for a network. */
export interface IntrinsicDimensionResult {
  /** Kind of the result, which tells it apart from results of other measurements. */
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
  /** Kind of the random matrix that spans subspaces. */
  readonly projection: ProjectionKind;
  /** Scope of the random matrix: all parameters at once, or the parameters of one layer. */
  readonly scope: SubspaceScope;
  /** Largest width of the last bracket, as a share of its lower end. */
  readonly resolution: number;
  /** Seeds of the trainings, each of which is made in every measured dimension. */
  readonly seeds: readonly number[];
  /** Number of passes over the training examples. */
  readonly epochs: number;
  /** Number of examples in one step. */
  readonly batch: number;
  /** Kind of the optimizer, such as `sgd`. */
  readonly optimizer: string;
  /** Largest learning rate in subspaces. */
  readonly learningRate: number;
  /** Largest learning rate of full trainings. */
  readonly baselineLearningRate: number;
  /** Name of the graph that was trained. */
  readonly network: string;
  /** Name of the examples that networks were trained on. */
  readonly data: string;
  /** Number of examples that networks were trained on. */
  readonly examples: number;
  /** Name of the examples that accuracies were measured on. */
  readonly evaluationData: string;
  /** Number of examples that accuracies were measured on. */
  readonly evaluationExamples: number;
  /** Name of the engine on which networks were trained. */
  readonly engine: string;
}

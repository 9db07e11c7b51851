import type { Checkpoint } from "@isthmus/core";
import type { DataSet, Graph } from "@isthmus/graph";

/** An architecture with initial weights. */
export interface Network {
  /**
   * Graph of operator set 21 that takes any batch: the first extent of its input and output is symbolic, `N`.
   * Its input is `x` (images, f32) or `ids` (tokens, i64), its output `logits`, `[N, classes]` or
   * `[N, length, classes]`. It is in inference mode: batch norms use their running statistics, and dropout
   * has no effect.
   */
  readonly graph: Graph;
  /**
   * Short string that {@link parseNetwork} builds this network from, for example `mlp:512x3`, in its
   * canonical form.
   */
  readonly spec: string;
  /** Number of trained numbers: elements of all parameters, without running statistics. */
  readonly parameters: number;
  /**
   * Creates random weights to start training from, in f32; batch norms start with mean 0 and variance 1.
   * @param seed - seed that determines the weights; each weight has its own random stream, keyed by its name
   * @throws OutOfRangeError if `seed` is not a whole number of at least 0
   */
  readonly initialize: (seed: number) => Checkpoint;
}

/** Shape of the examples, and number of classes, for which a network is built. */
export interface NetworkShape {
  /** Shape of one example, for example `[1, 28, 28]`; `[length]` for token ids. */
  readonly exampleShape: readonly number[];
  /**
   * Number of classes, or of words in the vocabulary; 0 for data sets without classes, for which
   * `parseNetwork` makes as many outputs as there are numbers to approximate.
   */
  readonly classes: number;
}

/**
 * Form of the examples of a data set: the number of classes, or the array of numbers to be approximated;
 * without either, the examples themselves are approximated.
 */
export type ExamplesForm = NetworkShape & Pick<DataSet, "features" | "targets">;

import type { Graph, ValueInfo } from "@isthmus/graph";

/** A typed graph with a loss to minimise. */
export interface Objective {
  readonly graph: Graph;
  /** Scalar: the mean loss of a batch. */
  readonly loss: string;
  /** Data input for the examples. */
  readonly examples: string;
  /** Data input for the targets; for next-token losses the examples again. */
  readonly targets: ValueInfo;
  /** Data input f32 of the targets' shape: how much each target counts; missing if all count the same. */
  readonly targetWeights?: string;
  /**
   * Names of further scalar outputs by what they measure: `correct`, and `counted` where it is not the batch.
   */
  readonly metrics: ReadonlyMap<string, string>;
  /**
   * Value `[batch, ...]` of the graph whose mean is the loss, weighted by `targetWeights` if there are any.
   * For the next token it is `[batch, length]`, whose last column does not count. Missing for a loss that the
   * graph computes itself.
   */
  readonly losses?: string;
  /**
   * Output of the network that the loss is computed from. Missing for a loss that the graph computes itself.
   */
  readonly output?: string;
}

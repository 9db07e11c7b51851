import type { Graph, LossOfOutput, ValueInfo } from "@isthmus/graph";

/** Data inputs for the labels of one output of several that have a loss each. */
export interface TermInputs {
  /** Name of the output. */
  readonly output: string;
  /** Kind of the loss of the output. */
  readonly loss: LossOfOutput;
  /** Data input for its targets. */
  readonly targets: string;
  /** Data input for the weight of each target; missing if all count the same. */
  readonly targetWeights?: string;
}

/** A typed graph with a loss to minimise. */
export interface Objective {
  /** Typed graph that computes the loss and the metrics beside the outputs of the network. */
  readonly graph: Graph;
  /** Scalar: the mean loss of a batch. */
  readonly loss: string;
  /** Data input for the examples. */
  readonly examples: string;
  /** Data input for the targets; for next-token losses the examples again. */
  readonly targets: ValueInfo;
  /** Data input f32 of the targets' shape for the weight of each target; missing if all count the same. */
  readonly targetWeights?: string;
  /**
   * Data inputs of every output, if several have a loss each; `targets` then belong to the first of them, and
   * `targetWeights` is missing.
   */
  readonly terms?: readonly TermInputs[];
  /**
   * Names of further scalar outputs by what they measure: `correct`, and `counted` if not the whole batch
   * counts.
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

/** The objective of a loss that is computed from an output. */
export type OutputObjective = Objective & Required<Pick<Objective, "losses" | "output">>;

import type { Graph, ValueInfo } from "@isthmus/graph";

/** A typed graph with something to minimise. */
export interface Objective {
  readonly graph: Graph;
  /** Scalar output: the mean loss of a batch. */
  readonly loss: string;
  /** Data input for the examples. */
  readonly examples: string;
  /** Data input for what they should become. */
  readonly targets: ValueInfo;
  /** Further scalar outputs by what they are, for example `correct`. */
  readonly metrics: ReadonlyMap<string, string>;
}

import type { Graph, ValueInfo } from "@isthmus/graph";

/** A typed graph with something to minimise. */
export interface Objective {
  readonly graph: Graph;
  /** Scalar: the mean loss of a batch. */
  readonly loss: string;
  /** Data input for the examples. */
  readonly examples: string;
  /** Data input for what they should become; for next-token losses the examples again. */
  readonly targets: ValueInfo;
  /** Data input f32 of the targets' shape: how much each target counts; missing where all count the same. */
  readonly targetWeights?: string;
  /** Further scalars by what they are: `correct` and, of next-token losses, `counted`. */
  readonly metrics: ReadonlyMap<string, string>;
}

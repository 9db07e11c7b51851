import type { Checkpoint } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/** An architecture that knows how its weights start. */
export interface Network {
  /** Takes any batch: the first extent of its inputs is symbolic, `N`; operator set 21. */
  readonly graph: Graph;
  /** The short string that makes it again, for example `mlp:512x3`. */
  readonly spec: string;
  /**
   * Random weights to start training from.
   * @param seed - the same seed gives the same weights
   */
  readonly initialize: (seed: number) => Checkpoint;
}

/** What a network is built for. */
export interface NetworkShape {
  /** Shape of one example, for example `[1, 28, 28]`; `[length]` for token ids. */
  readonly exampleShape: readonly number[];
  /** Classes, or the size of the vocabulary. */
  readonly classes: number;
}

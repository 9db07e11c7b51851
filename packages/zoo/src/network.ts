import type { Checkpoint } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/** An architecture that knows how its weights start. */
export interface Network {
  /**
   * Takes any batch: the first extent of its input and output is symbolic, `N`; operator set 21. Its input is `x` (images, f32)
   * or `ids` (tokens, i64), its output `logits`, `[N, classes]` or `[N, length, classes]`. Regularised as for inference: batch
   * norms use their running statistics, dropout does nothing.
   */
  readonly graph: Graph;
  /** The short string that makes it again, for example `mlp:512x3`: of all that do, always the same one. */
  readonly spec: string;
  /** Numbers that are trained: elements of all parameters, running statistics not counted. */
  readonly parameters: number;
  /**
   * Random weights to start training from, in f32; batch norms start with mean 0 and variance 1.
   * @param seed - the same seed gives the same weights; each weight has a stream of its own, by its name
   * @throws RangeError if `seed` is not a whole number of at least 0
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

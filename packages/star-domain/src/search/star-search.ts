import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";

/** Architecture, with the symmetries by which its networks are aligned to a star. */
export interface StarArchitecture extends Architecture {
  /** Verified symmetries of the graph; if they are missing, no network is aligned. */
  readonly symmetries?: Symmetries | undefined;
}

/** Networks whose star is searched, with the engine and the data for the search. */
export interface StarSearch extends StarArchitecture {
  /** Trained networks, at least two; lazy ones are read when a step draws them. */
  readonly anchors: readonly Checkpoint[];
  /** Examples for training. */
  readonly data: DataSet;
  /**
   * Weights at which the star starts, for example random ones.
   * @defaultValue the mean of the anchors, each aligned to the first
   */
  readonly start?: Checkpoint | undefined;
}

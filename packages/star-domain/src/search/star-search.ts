import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";

/** An architecture, and the symmetries by which networks of it are aligned to a star. */
export interface StarArchitecture extends Architecture {
  /** Symmetries of the graph, verified; without them, no network is aligned. */
  readonly symmetries?: Symmetries | undefined;
}

/** Networks to find a star of, and the engine and the data to find it with. */
export interface StarSearch extends StarArchitecture {
  /** Trained networks, at least two; lazy ones are read when a step draws them. */
  readonly anchors: readonly Checkpoint[];
  /** Examples to train on. */
  readonly data: DataSet;
  /**
   * The weights at which the star starts, for example random ones.
   * @defaultValue the mean of the anchors, each aligned to the first
   */
  readonly start?: Checkpoint | undefined;
}

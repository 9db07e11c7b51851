import type { Checkpoint } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import type { SymmetrySpec } from "@isthmus/symmetry";

/** Networks to find a star of, and the engine and the data to find it with. */
export interface StarSearch {
  readonly graph: Graph;
  readonly engine: Engine;
  /** Trained networks, at least two; lazy ones are read when a step draws them. */
  readonly anchors: readonly Checkpoint[];
  /** Examples to train on. */
  readonly data: DataSet;
  /**
   * Symmetries of the graph, verified, by which anchors are aligned to the star; without them, none is
   * aligned.
   */
  readonly spec?: SymmetrySpec | undefined;
  /**
   * The weights at which the star starts, for example random ones.
   * @defaultValue the mean of the anchors, each aligned to the first
   */
  readonly start?: Checkpoint | undefined;
}

import type { Checkpoint } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import type { SymmetrySpec } from "@isthmus/symmetry";

/** Networks to find a star of, and what to find it with. */
export interface StarSearch {
  readonly graph: Graph;
  readonly engine: Engine;
  /** Trained networks, at least two; lazy ones are read when it is their turn. */
  readonly anchors: readonly Checkpoint[];
  /** Examples to train on. */
  readonly data: DataSet;
  /** Symmetries of the graph, proved, by which anchors are aligned to the star; without them they stay as they are. */
  readonly spec?: SymmetrySpec | undefined;
  /** Where the star starts: random weights or any others. @defaultValue the mean of the anchors, each aligned to the first */
  readonly start?: Checkpoint | undefined;
}

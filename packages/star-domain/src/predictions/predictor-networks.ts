import type { Checkpoint } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";

/** A star and its anchors, and the data they predict. */
export interface PredictorNetworks {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly star: Checkpoint;
  readonly anchors: readonly Checkpoint[];
  /** Examples to predict, which were not trained on. */
  readonly data: DataSet;
  /** Examples of other data, for which a predictor should have low confidence; their labels are not used. */
  readonly outOfDistribution?: DataSet | undefined;
  /**
   * Symmetries of the graph, verified, by which anchors are aligned to the star; without them, anchors are
   * assumed to be aligned.
   */
  readonly symmetries?: Symmetries | undefined;
}

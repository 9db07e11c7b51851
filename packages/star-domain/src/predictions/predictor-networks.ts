import type { Checkpoint } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import type { SymmetrySpec } from "@isthmus/symmetry";

/** A star and its anchors, and what they are to predict. */
export interface PredictorNetworks {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly star: Checkpoint;
  readonly anchors: readonly Checkpoint[];
  /** Examples that are predicted, not trained on. */
  readonly data: DataSet;
  /** Examples of other data, which a predictor should be unsure of; their labels are not looked at. */
  readonly outOfDistribution?: DataSet | undefined;
  /** Symmetries of the graph, proved, by which anchors are aligned to the star; without them they are taken to be. */
  readonly spec?: SymmetrySpec | undefined;
}

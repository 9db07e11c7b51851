import type { Checkpoint } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";

/** Star and its anchors, with the data that they predict. */
export interface PredictorNetworks {
  /** Graph that all networks share. */
  readonly graph: Graph;
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** Star network, from which rays lead to the anchors. */
  readonly star: Checkpoint;
  /** Networks that the star connects, at least one. */
  readonly anchors: readonly Checkpoint[];
  /** Examples to predict, which were not used for training. */
  readonly data: DataSet;
  /** Examples of other data, for which a predictor should have low confidence; their labels are not used. */
  readonly outOfDistribution?: DataSet | undefined;
  /**
   * Verified symmetries of the graph, by which anchors are aligned to the star; if they are missing, anchors
   * are assumed to be aligned.
   */
  readonly symmetries?: Symmetries | undefined;
}

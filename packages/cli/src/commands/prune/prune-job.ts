import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { PruneResult } from "@isthmus/sparsity";
import type { PruneVerbOptions } from "./prune-verb-options.ts";

/** A network to prune. */
export interface PruneJob {
  /** Graph that the network belongs to, and the engine that runs it. */
  readonly architecture: Architecture;
  /** Network to prune, under the names of the graph. */
  readonly network: Checkpoint;
  /** Options of the command line: share, choice of weights, training. */
  readonly options: PruneVerbOptions;
}

/** The examples that options name. */
export interface PruneData {
  /** Examples to measure losses on; absent if losses are not measured. */
  readonly measured?: DataSet | undefined;
  /** Examples to train on after pruning; absent if nothing is trained. */
  readonly trained?: DataSet | undefined;
}

/** A pruned network, and the results of pruning it. */
export interface Pruning {
  /** Pruned network under the names of the graph, after any further training. */
  readonly weights: Checkpoint;
  /**
   * Result of the pruning as plain data, such as the number of pruned elements, and the losses and rounds.
   */
  readonly result: PruneResult;
}

import type { Checkpoint } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { PruneResult } from "@isthmus/sparsity";
import type { PruneVerbOptions } from "./prune-verb-options.ts";

/** A network to prune. */
export interface PruneJob {
  readonly architecture: Architecture;
  readonly network: Checkpoint;
  readonly options: PruneVerbOptions;
}

/** The examples that options name. */
export interface PruneData {
  readonly measured?: DataSet | undefined;
  readonly trained?: DataSet | undefined;
}

/** A pruned network, and the results of pruning it. */
export interface Pruning {
  readonly weights: Checkpoint;
  readonly result: PruneResult;
}

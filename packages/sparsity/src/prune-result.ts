import type { PrunedUnits } from "./masks/choose-unit-masks.ts";
import type { PruneChoice } from "./prune-options.ts";

/** How much of a weight is pruned. */
export interface PrunedLayer {
  readonly name: string;
  readonly elements: number;
  readonly pruned: number;
  /** Share that is pruned. */
  readonly sparsity: number;
}

/** Loss and error of a network. */
export interface NetworkMeasures {
  readonly loss: number;
  readonly error: number;
}

/** Losses before and after pruning, and after training on, on the same examples. */
export interface PruneMeasures {
  readonly before: NetworkMeasures;
  readonly after: NetworkMeasures;
  /** With the masks held while training; missing if nothing was trained. */
  readonly tuned?: NetworkMeasures;
  readonly examples: number;
  readonly data: string;
  readonly engine: string;
}

/** A pruned network, as numbers alone. */
export interface PruneResult {
  readonly kind: "prune";
  readonly network: string;
  readonly by: PruneChoice;
  /** Share that was to be pruned. */
  readonly target: number;
  /** Share of the elements of all `layers` that is pruned. */
  readonly sparsity: number;
  readonly elements: number;
  readonly pruned: number;
  /** In the order of the graph. */
  readonly layers: readonly PrunedLayer[];
  /** Missing unless whole units are pruned. */
  readonly units?: readonly PrunedUnits[];
  readonly measures?: PruneMeasures;
  /** Missing if nothing was trained after pruning. */
  readonly tuning?: { readonly data: string; readonly epochs: number; readonly seed: number };
}

import type { LossFields } from "@isthmus/graph";
import type { PrunedUnits } from "./masks/choose-unit-masks.ts";
import type { PruneChoice } from "./prune-fields.ts";

/** Ways to train the rounds of a lottery ticket: by gradients, or by evolution strategies. */
export const TICKET_METHODS = ["gradient", "evolution"] as const;

/** Way to train the rounds of a lottery ticket. */
export type TicketMethod = (typeof TICKET_METHODS)[number];

/** Pruned share of one weight. */
export interface PrunedLayer {
  readonly name: string;
  readonly elements: number;
  readonly pruned: number;
  /** Share of the weight's elements that is pruned. */
  readonly sparsity: number;
}

/** Loss and error of a network. */
export interface NetworkMeasures {
  readonly loss: number;
  readonly error: number;
}

/** Losses before and after pruning, and after further training, on the same examples. */
export interface PruneMeasures extends LossFields {
  readonly before: NetworkMeasures;
  readonly after: NetworkMeasures;
  /** Measures after further training with masks; missing if the network was not trained. */
  readonly tuned?: NetworkMeasures;
  readonly examples: number;
  readonly data: string;
  readonly engine: string;
}

/** Round of pruning and training again; the first is the dense network before any pruning. */
export interface RewoundRound {
  /** Share of the weights that is pruned. */
  readonly sparsity: number;
  /** Loss after the training of the round; missing if rounds are not measured. */
  readonly loss?: number;
  readonly error?: number;
  /**
   * Chord barrier of the loss to the network of the round before; missing for the first round, and if rounds
   * are not measured.
   */
  readonly barrier?: number;
}

/** Record of the search for a lottery ticket. */
export interface PruneRewinding {
  readonly method: TicketMethod;
  /** Number of epochs of the first training to whose weights every round went back; 0 for the start. */
  readonly rewind: number;
  readonly rounds: readonly RewoundRound[];
}

/** Result of pruning a network, without its weights. */
export interface PruneResult {
  readonly kind: "prune";
  readonly network: string;
  readonly by: PruneChoice;
  /** Requested share. */
  readonly target: number;
  /** Share of the elements of all `layers` that is pruned. */
  readonly sparsity: number;
  readonly elements: number;
  readonly pruned: number;
  /** Pruned shares of weights, in the order of the graph. */
  readonly layers: readonly PrunedLayer[];
  /** Criterion of the choice; missing if it was the magnitude. */
  readonly criterion?: "signal-to-noise";
  /** Numbers of pruned units; missing unless whole units are pruned. */
  readonly units?: readonly PrunedUnits[];
  readonly measures?: PruneMeasures;
  /** Record of the rounds; missing unless the network was trained, pruned and set back in rounds. */
  readonly rewinding?: PruneRewinding;
  /** Further training after pruning; missing if there was none. */
  readonly tuning?: { readonly data: string; readonly epochs: number; readonly seed: number };
}

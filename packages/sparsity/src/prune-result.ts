import type { LossFields } from "@isthmus/graph";
import type { PrunedUnits } from "./masks/choose-unit-masks.ts";
import type { PruneChoice } from "./prune-fields.ts";

/** Ways to train the rounds of a lottery ticket: by gradients, or by evolution strategies. */
export const TICKET_METHODS = ["gradient", "evolution"] as const;

/** Way to train the rounds of a lottery ticket. */
export type TicketMethod = (typeof TICKET_METHODS)[number];

/** Pruned share of one weight. */
export interface PrunedLayer {
  /** Name of the weight. */
  readonly name: string;
  /** Number of elements of the weight. */
  readonly elements: number;
  /** Number of pruned elements of the weight. */
  readonly pruned: number;
  /** Share of the weight's elements that is pruned. */
  readonly sparsity: number;
}

/** Loss and error of a network. */
export interface NetworkMeasures {
  /** Mean loss over the examples. */
  readonly loss: number;
  /** Share of wrong predictions, in `[0, 1]`; NaN if the loss has no notion of errors. */
  readonly error: number;
}

/** Losses before and after pruning, and after further training, on the same examples. */
export interface PruneMeasures extends LossFields {
  /** Measures before pruning. */
  readonly before: NetworkMeasures;
  /** Measures after pruning. */
  readonly after: NetworkMeasures;
  /** Measures after further training with masks; missing if the network was not trained. */
  readonly tuned?: NetworkMeasures;
  /** Number of examples that were evaluated. */
  readonly examples: number;
  /** Name of these examples. */
  readonly data: string;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}

/** Round of pruning and training again; the first is the dense network before any pruning. */
export interface RewoundRound {
  /** Share of the weights that is pruned. */
  readonly sparsity: number;
  /** Loss after the training of the round; missing if rounds are not measured. */
  readonly loss?: number;
  /**
   * Share of wrong predictions after the training of the round, in `[0, 1]`; missing if rounds are not
   * measured.
   */
  readonly error?: number;
  /**
   * Chord barrier of the loss to the network of the round before; missing for the first round, and if rounds
   * are not measured.
   */
  readonly barrier?: number;
}

/** Record of the search for a lottery ticket. */
export interface PruneRewinding {
  /** Way in which the rounds were trained: by gradients or by evolution. */
  readonly method: TicketMethod;
  /** Number of epochs of the first training to whose weights every round went back; 0 for the start. */
  readonly rewind: number;
  /** Rounds in order, the dense network first. */
  readonly rounds: readonly RewoundRound[];
}

/** Result of pruning a network, without its weights. */
export interface PruneResult {
  /** Kind of the result. */
  readonly kind: "prune";
  /** Source of the network, such as its file. */
  readonly network: string;
  /** Way in which elements were chosen. */
  readonly by: PruneChoice;
  /** Requested share. */
  readonly target: number;
  /** Share of the elements of all `layers` that is pruned. */
  readonly sparsity: number;
  /** Number of elements of all `layers`. */
  readonly elements: number;
  /** Number of pruned elements of all `layers`. */
  readonly pruned: number;
  /** Pruned shares of weights, in the order of the graph. */
  readonly layers: readonly PrunedLayer[];
  /** Criterion of the choice; missing if it was the magnitude. */
  readonly criterion?: "signal-to-noise";
  /** Numbers of pruned units; missing unless whole units are pruned. */
  readonly units?: readonly PrunedUnits[];
  /** Losses before and after pruning; missing if no examples were named. */
  readonly measures?: PruneMeasures;
  /** Record of the rounds; missing unless the network was trained, pruned and set back in rounds. */
  readonly rewinding?: PruneRewinding;
  /** Further training after pruning; missing if there was none. */
  readonly tuning?: { readonly data: string; readonly epochs: number; readonly seed: number };
}

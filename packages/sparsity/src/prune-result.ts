import type { LossFields } from "@isthmus/graph";
import type { PrunedUnits } from "./masks/choose-unit-masks.ts";
import type { PruneChoice } from "./prune-fields.ts";

/** Ways to train the rounds of a lottery ticket: by gradients, or by evolution strategies. */
export const TICKET_METHODS = ["gradient", "evolution"] as const;

/** How the rounds of a lottery ticket are trained. */
export type TicketMethod = (typeof TICKET_METHODS)[number];

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
export interface PruneMeasures extends LossFields {
  readonly before: NetworkMeasures;
  readonly after: NetworkMeasures;
  /** With the masks held while training; missing if nothing was trained. */
  readonly tuned?: NetworkMeasures;
  readonly examples: number;
  readonly data: string;
  readonly engine: string;
}

/** A round of pruning and training again; the first is the network before anything is pruned. */
export interface RewoundRound {
  /** Share that is pruned. */
  readonly sparsity: number;
  /** After training; missing if nothing is measured. */
  readonly loss?: number;
  readonly error?: number;
  /** Chord barrier of the loss to the round before; missing for the first, and if nothing is measured. */
  readonly barrier?: number;
}

/** How a lottery ticket was found. */
export interface PruneRewinding {
  readonly method: TicketMethod;
  /** Epochs of the first training to whose weights every round went back; 0 is the start. */
  readonly rewind: number;
  readonly rounds: readonly RewoundRound[];
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
  /** Missing if the weights of least magnitude were pruned. */
  readonly criterion?: "signal-to-noise";
  /** Missing unless whole units are pruned. */
  readonly units?: readonly PrunedUnits[];
  readonly measures?: PruneMeasures;
  /** Missing unless the network was trained, pruned and set back in rounds. */
  readonly rewinding?: PruneRewinding;
  /** Missing if nothing was trained after pruning. */
  readonly tuning?: { readonly data: string; readonly epochs: number; readonly seed: number };
}

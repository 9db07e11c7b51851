import type { LossFields } from "@isthmus/graph";
import type { FeatureShift } from "../examples/feature-shift.ts";

/** What came of one round, as plain data. */
export interface RoundResult {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Updates that were aggregated. */
  readonly updates: number;
  /** Updates that were refused, with the reason and how often it was given. */
  readonly refused: readonly { readonly reason: string; readonly count: number }[];
  /** Bytes that the server sent to clients since the beginning. */
  readonly bytesDown: number;
  /** Bytes that clients sent to the server since the beginning. */
  readonly bytesUp: number;
  /** Mean loss of the last epoch of the honest clients; NaN if there was none. */
  readonly trainLoss: number;
  /** Norm of the aggregated change; NaN if nothing was aggregated. */
  readonly changeNorm: number;
  /** Why nothing came of the updates, so that the global network stayed; missing where one came of them. */
  readonly failed?: string;
  /** Epsilon that the rounds so far have spent, in nats, null without noise; missing without privacy. */
  readonly epsilon?: number | null;
  /** Largest norm that an update had, for privacy; missing without it. */
  readonly clip?: number;
  /**
   * Share of the examples to evaluate on that are classified correctly by the global network, or, where
   * clients keep tensors, the mean over the honest clients' own networks; missing in rounds that are not
   * evaluated, and if the loss has no errors.
   */
  readonly accuracy?: number;
  /** Mean loss likewise; missing in rounds that are not evaluated. */
  readonly loss?: number;
  /**
   * Mean over the honest clients of the accuracy on examples like their own, or of the loss if that has no
   * errors, see {@link ClientResult}.
   */
  readonly local?: number;
}

/** Accuracy of the network that one client ends with, on examples like its own. */
export interface ClientResult {
  readonly client: string;
  readonly attacker: boolean;
  /** Number of its examples. */
  readonly examples: number;
  /**
   * Accuracy on the examples to evaluate on, its inputs shifted and its classes weighted as the client's
   * are; NaN if the loss has no errors.
   */
  readonly accuracy: number;
  /** Mean loss on these examples; missing unless the loss has no errors. */
  readonly loss?: number;
}

/** How evenly accuracy is spread over the honest clients, or the loss if it has no errors. */
export interface Fairness {
  /** Mean accuracy, or loss. */
  readonly mean: number;
  /** Standard deviation over the clients. */
  readonly std: number;
  /** Mean accuracy, or loss, of the worst tenth of the clients, at least one. */
  readonly worst: number;
}

/** Barriers between the networks that two clients trained in one round. */
export interface ClientBarrier {
  readonly round: number;
  readonly a: string;
  readonly b: string;
  /** Whether the second network was permuted to match the first. */
  readonly aligned: boolean;
  /**
   * Loss of the average of both networks above the mean of their losses; below 0 where averaging helps.
   */
  readonly whole: number;
  /**
   * The same where one layer alone is averaged, with the others as in either network: the mean of both
   * (Adilova et al., Layer-wise linear mode connectivity, 2024).
   */
  readonly layers: readonly { readonly name: string; readonly barrier: number }[];
}

/**
 * Accuracy of the server's network with other statistics of its batch norms, or its loss if that has no
 * errors: means over the honest clients on the examples to evaluate on, shifted as the client's are.
 */
export interface NormAccuracies {
  /** With the statistics that aggregation left. */
  readonly aggregated: number;
  /** With the statistics of the examples of all honest clients together. */
  readonly pooled: number;
  /** With the statistics that each client measures on its own examples. */
  readonly own: number;
}

/** What one simulated federation came to, as plain data. */
export interface FederationRun extends LossFields {
  /** Names of the attackers. */
  readonly attackers: readonly string[];
  readonly rounds: readonly RoundResult[];
  /** Why the federation failed before its last round; missing if it did not. */
  readonly failed?: string;
  /** Why it ended before its last round without failing: its budget of privacy; missing if it did not. */
  readonly stopped?: string;
  /** Accuracy of the last evaluation; NaN if it failed before the first, or the loss has no errors. */
  readonly accuracy: number;
  /** Mean loss likewise. */
  readonly loss: number;
  readonly clients: readonly ClientResult[];
  readonly fairness: Fairness;
  readonly barriers: readonly ClientBarrier[];
  /** Missing unless it is to be measured. */
  readonly norms?: NormAccuracies;
}

/** What one client of a partition has. */
export interface PartitionedClient {
  readonly client: string;
  /** Number of its examples of each class, `[classes]`; of all if examples have no classes, `[1]`. */
  readonly labels: readonly number[];
  readonly shift?: FeatureShift;
}

import type { LossFields } from "@isthmus/graph";
import type { FeatureShift } from "../examples/feature-shift.ts";

/** Result of one round, as plain data. */
export interface RoundResult {
  /** Number of the round, from 1. */
  readonly round: number;
  /** Number of updates that were aggregated. */
  readonly updates: number;
  /** Reasons for which updates were refused, with the number of updates for each reason. */
  readonly refused: readonly { readonly reason: string; readonly count: number }[];
  /** Number of bytes that the server sent to clients since the beginning. */
  readonly bytesDown: number;
  /** Number of bytes that clients sent to the server since the beginning. */
  readonly bytesUp: number;
  /** Mean loss of the last epoch of the honest clients; NaN if no honest client trained. */
  readonly trainLoss: number;
  /** Norm of the aggregated change; NaN if nothing was aggregated. */
  readonly changeNorm: number;
  /** Reason why the round failed, so that the global network stayed; missing if the round did not fail. */
  readonly failed?: string;
  /** Epsilon that the rounds so far have spent, in nats, null without noise; missing without privacy. */
  readonly epsilon?: number | null;
  /** Bound on the norm of an update in a private round; missing without privacy. */
  readonly clip?: number;
  /**
   * Share of the examples to evaluate on that are classified correctly by the global network, or, if clients
   * keep tensors, the mean over the honest clients' own networks; missing in rounds that are not evaluated,
   * and if the loss has no errors.
   */
  readonly accuracy?: number;
  /**
   * Mean loss on the examples to evaluate on, of the same networks as `accuracy`; missing in rounds that are
   * not evaluated.
   */
  readonly loss?: number;
  /**
   * Mean over the honest clients of the accuracy on examples like their own, or of the loss if the loss has
   * no errors, see {@link ClientResult}.
   */
  readonly local?: number;
}

/** Accuracy of the last network of one client, on examples like its own. */
export interface ClientResult {
  /** Name of the client. */
  readonly client: string;
  /** Whether the client attacked, in which case means over honest clients leave it out. */
  readonly attacker: boolean;
  /** Number of its examples. */
  readonly examples: number;
  /**
   * Accuracy on the examples to evaluate on, with inputs shifted and classes weighted as in the client's
   * examples; NaN if the loss has no errors.
   */
  readonly accuracy: number;
  /** Mean loss on these examples; missing unless the loss has no errors. */
  readonly loss?: number;
}

/** Distribution of the accuracy over the honest clients, or of the loss if the loss has no errors. */
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
  /** Number of the round after whose trainings the barriers were measured, from 1. */
  readonly round: number;
  /** Name of the first client, whose network is never permuted. */
  readonly a: string;
  /** Name of the second client, whose network is permuted to the first if the strategy aligns updates. */
  readonly b: string;
  /** Whether the second network was permuted to match the first. */
  readonly aligned: boolean;
  /** Loss of the average of both networks above the mean of their losses; below 0 if averaging helps. */
  readonly whole: number;
  /**
   * Barriers of single layers: one layer alone is averaged, with the other layers as in the first or in the
   * second network, and the barrier is the mean of both cases (Adilova et al., Layer-wise linear mode
   * connectivity, 2024).
   */
  readonly layers: readonly { readonly name: string; readonly barrier: number }[];
}

/**
 * Accuracy of the server's network with other statistics of its batch norms, or its loss if the loss has no
 * errors: means over the honest clients on the examples to evaluate on, shifted as each client's examples.
 */
export interface NormAccuracies {
  /** Accuracy with the statistics of the aggregated network. */
  readonly aggregated: number;
  /** Accuracy with the statistics of the examples of all honest clients together. */
  readonly pooled: number;
  /** Accuracy with the statistics that each client measures on its own examples. */
  readonly own: number;
}

/** Result of one simulated federation, as plain data. */
export interface FederationRun extends LossFields {
  /** Names of the attackers. */
  readonly attackers: readonly string[];
  /** Results of the rounds in their order, also of a round that failed. */
  readonly rounds: readonly RoundResult[];
  /** Reason why the federation failed before its last round; missing if it did not fail. */
  readonly failed?: string;
  /**
   * Reason why it ended before its last round without failing, its spent privacy budget; missing if it did
   * not end early.
   */
  readonly stopped?: string;
  /**
   * Accuracy of the last evaluation; NaN if the federation failed before the first evaluation, or the loss
   * has no errors.
   */
  readonly accuracy: number;
  /** Mean loss of the last evaluation; NaN if the federation failed before the first evaluation. */
  readonly loss: number;
  /** Results of the clients with their last networks, in the order of their names, attackers included. */
  readonly clients: readonly ClientResult[];
  /** Distribution of the last scores over the honest clients. */
  readonly fairness: Fairness;
  /** Barriers between networks of clients, in the order of rounds; empty unless they were to be measured. */
  readonly barriers: readonly ClientBarrier[];
  /** Accuracies with other statistics of batch norms; missing unless they were to be measured. */
  readonly norms?: NormAccuracies;
}

/** Examples of one client of a partition. */
export interface PartitionedClient {
  /** Name of the client. */
  readonly client: string;
  /**
   * Number of its examples of each class, `[classes]`; the number of all its examples if they have no
   * classes, `[1]`.
   */
  readonly labels: readonly number[];
  /** Shift by which the client's inputs differ from the inputs of others; absent if they do not. */
  readonly shift?: FeatureShift;
}

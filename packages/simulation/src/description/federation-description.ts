import type { Named, StrategyDescription } from "@isthmus/federated";
import type { NamedLoss } from "@isthmus/graph";
import type { CurriculumOptions, OptimizerSpec, ScheduleSpec, WassersteinOptions } from "@isthmus/training";

/** Way in which examples are divided over clients: `{ name: "dirichlet", alpha: 0.1 }`. */
export type PartitionDescription = Named;

/** Attack by which some clients spoil the network, with the number of attackers. */
export interface AttackDescription extends Named {
  /** Number of attackers, at least 1 and fewer than there are clients. */
  readonly attackers: number;
}

/** Training of each client in a round. */
export interface ClientTraining {
  /** Number of times that each example of a client is seen in a round. @defaultValue 1 */
  readonly epochs?: number;
  /** Number of examples in a step; all examples of a client if it has fewer. @defaultValue 32 */
  readonly batch?: number;
  /** Rule by which clients step. @defaultValue SGD without momentum */
  readonly optimizer?: OptimizerSpec;
  /** Learning rate within each round. @defaultValue constant, 0.1 */
  readonly schedule?: ScheduleSpec;
  /** Strength of a term that holds a client's network near the global one (FedProx). @defaultValue none */
  readonly proximal?: number;
  /** Whether gradients are corrected by the gradients of the other clients (SCAFFOLD). @defaultValue false */
  readonly scaffold?: boolean;
  /**
   * Curriculum: examples are chosen by their loss, a few at first. @defaultValue all examples, in random
   * order
   */
  readonly curriculum?: Omit<CurriculumOptions, "scoredBy">;
  /**
   * Perturbation of examples, which makes them harder before each step (WAFL). @defaultValue no perturbation
   */
  readonly wasserstein?: WassersteinOptions;
}

/** Strategy by which a server aggregates updates, with the choices of clients that belong to it. */
export interface SimulatedStrategy extends Omit<StrategyDescription, "adapters"> {
  /**
   * Networks with which clients begin in round 1: all with the network of the server, or each with a network
   * of its own. In the latter case updates of that round are aligned to each other, if they are aligned at
   * all. @defaultValue "together"
   */
  readonly start?: "together" | "apart";
  /** Training of clients, in place of that of the federation. @defaultValue the training of the federation */
  readonly client?: ClientTraining;
}

/** Measurements beside the accuracy of the global network. */
export interface MeasureDescription {
  /** Number of rounds from one evaluation to the next; the last round is always evaluated. @defaultValue 1 */
  readonly every?: number;
  /**
   * Whether the last network is evaluated with other statistics of its batch norms, too. @defaultValue false
   */
  readonly norms?: boolean;
  /** Barriers between the networks of clients, before they are aggregated. @defaultValue none */
  readonly barriers?: {
    /** Numbers of the rounds in which barriers are measured, from 1. */
    readonly rounds: readonly number[];
    /** Number of pairs of clients, the first ones in the order of names. @defaultValue 1 */
    readonly pairs?: number;
  };
}

/** A federation to simulate, as plain data: all that decides its result. */
export interface FederationDescription {
  /** Network, as `mlp:64`. */
  readonly net: string;
  /** Examples to divide over the clients, as `mnist:train@6000`. */
  readonly data: string;
  /** Examples to evaluate on, as `mnist:test@2000`. */
  readonly evaluate: string;
  /** Number of clients, at least 1. */
  readonly clients: number;
  /** Number of rounds, at least 1. */
  readonly rounds: number;
  /**
   * Number of failed rounds in a row at which the federation fails, at least 1.
   * @defaultValue the default of `planFederation`
   */
  readonly failures?: number;
  /**
   * Share of the clients that each round asks, in `(0, 1]`; with Poisson sampling, the probability of each
   * client to be asked. @defaultValue 1
   */
  readonly fraction?: number;
  /**
   * Method by which a round chooses clients: a fixed number of them, or each client by itself with a
   * probability, so that a round may ask no client. In such a round the network stays unchanged, and with
   * privacy moves by noise alone. @defaultValue "fixed-size"
   */
  readonly sampling?: "fixed-size" | "poisson";
  /** Share of the asked clients whose update is lost on its way, in `[0, 1)`. @defaultValue 0 */
  readonly lost?: number;
  /** The loss of trainings and evaluations. @defaultValue the loss that follows from the data */
  readonly loss?: NamedLoss;
  /** Division of the examples over the clients. @defaultValue iid */
  readonly partition?: PartitionDescription;
  /**
   * Training of each client in a round.
   * @defaultValue the defaults of each field of {@link ClientTraining}
   */
  readonly client?: ClientTraining;
  /** Strategy by which the server aggregates updates. @defaultValue FedAvg */
  readonly strategy?: SimulatedStrategy;
  /** Attack of some of the clients. @defaultValue none */
  readonly attack?: AttackDescription | undefined;
  /**
   * Measurements during and after the rounds.
   * @defaultValue accuracy of the global network after each round
   */
  readonly measure?: MeasureDescription;
  /** Seed of all random choices: a whole number in `[0, 2^53)`. */
  readonly seed: number;
}

import type { Named, StrategyDescription } from "@isthmus/federated";
import type { NamedLoss } from "@isthmus/graph";
import type { CurriculumOptions, OptimizerSpec, ScheduleSpec, WassersteinOptions } from "@isthmus/training";

/** How examples are divided over clients: `{ name: "dirichlet", alpha: 0.1 }`. */
export type PartitionDescription = Named;

/** What some clients do to spoil the network, and how many of them do. */
export interface AttackDescription extends Named {
  /** Number of attackers, at least 1 and fewer than there are clients. */
  readonly attackers: number;
}

/** How each client trains in a round. */
export interface ClientTraining {
  /** Times each of its examples is seen in a round. @defaultValue 1 */
  readonly epochs?: number;
  /** Examples in a step; all of a client's where it has fewer. @defaultValue 32 */
  readonly batch?: number;
  /** @defaultValue SGD without momentum */
  readonly optimizer?: OptimizerSpec;
  /** Learning rate within each round. @defaultValue constant, 0.1 */
  readonly schedule?: ScheduleSpec;
  /** Strength of a term that holds a client's network near the global one (FedProx). @defaultValue none */
  readonly proximal?: number;
  /** Whether gradients are corrected by the gradients of the other clients (SCAFFOLD). @defaultValue false */
  readonly scaffold?: boolean;
  /** Examples come by their loss, a few at first. @defaultValue all, in random order */
  readonly curriculum?: Omit<CurriculumOptions, "scoredBy">;
  /** Examples are moved to where they are hard before each step (WAFL). @defaultValue not at all */
  readonly wasserstein?: WassersteinOptions;
}

/** What a server does with updates, and what clients do differently for it. */
export interface SimulatedStrategy extends StrategyDescription {
  /**
   * Where clients begin in round 1: at the one network of the server, or each at one of its own; updates of
   * that round are then aligned to each other, if they are aligned at all. @defaultValue "together"
   */
  readonly start?: "together" | "apart";
  /** How clients train, in place of what the federation says. @defaultValue as it says */
  readonly client?: ClientTraining;
}

/** What is measured beside the accuracy of the global network. */
export interface MeasureDescription {
  /** Rounds between two evaluations; the last round is evaluated always. @defaultValue 1 */
  readonly every?: number;
  /**
   * Whether the last network is evaluated with other statistics of its batch norms, too. @defaultValue false
   */
  readonly norms?: boolean;
  /** Barriers between the networks of clients, before they are aggregated. @defaultValue none */
  readonly barriers?: {
    /** Rounds to measure in, from 1. */
    readonly rounds: readonly number[];
    /** Pairs of clients, the first ones in the order of names. @defaultValue 1 */
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
   * Rounds in a row whose updates may come to nothing until the federation fails, at least 1.
   * @defaultValue what `planFederation` takes
   */
  readonly failures?: number;
  /**
   * Share of the clients that each round asks, in `(0, 1]`; with Poisson sampling, the probability of each to
   * be asked. @defaultValue 1
   */
  readonly fraction?: number;
  /**
   * Whether a round asks a number of clients, or each by itself with a probability, so that nobody may be
   * asked: then the network stays as it is, and with privacy moves by noise alone. @defaultValue "fixed-size"
   */
  readonly sampling?: "fixed-size" | "poisson";
  /** Share of the asked clients whose update is lost on its way, in `[0, 1)`. @defaultValue 0 */
  readonly lost?: number;
  /** The loss of trainings and evaluations. @defaultValue the one that follows from the data */
  readonly loss?: NamedLoss;
  /** @defaultValue iid */
  readonly partition?: PartitionDescription;
  readonly client?: ClientTraining;
  readonly strategy?: SimulatedStrategy;
  /** @defaultValue none */
  readonly attack?: AttackDescription | undefined;
  readonly measure?: MeasureDescription;
  /** Decides all that is random: a whole number in `[0, 2^53)`. */
  readonly seed: number;
}

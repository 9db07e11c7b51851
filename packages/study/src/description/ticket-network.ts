import type { TicketMethod } from "@isthmus/sparsity";
import type { OptimizerSpec, ScheduleSpec } from "@isthmus/training";

/** What every lottery ticket has. */
interface AnyTicket {
  /** Short string of the zoo, such as `mlp:512x3`. */
  readonly net: string;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of weights, order of examples, and of the networks that evolution draws. */
  readonly seed: number;
  /** Share that is pruned after the last round, in `[0, 1)`. */
  readonly sparsity: number;
  /** Rounds of pruning and training again. @defaultValue 5 */
  readonly rounds?: number;
  /** Whether all weights together are compared, or the ones of each layer. @defaultValue "global" */
  readonly by?: "global" | "layer";
  readonly batch?: number;
}

/** Networks of all rounds of a lottery ticket that is found by gradients; defaults are of `pruneIteratively`. */
export interface GradientTicket extends AnyTicket {
  readonly tickets: Extract<TicketMethod, "gradient">;
  /** Epochs of the first training to whose weights every round goes back. @defaultValue 0: the start */
  readonly rewind?: number;
  readonly epochs: number;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
}

/** The same without gradients; defaults are of `pruneByEvolution`. */
export interface EvolvedTicket extends AnyTicket {
  readonly tickets: Extract<TicketMethod, "evolution">;
  readonly generations?: number;
  readonly population?: number;
  readonly deviation?: number;
  readonly learningRate?: number;
  readonly deviationRate?: number;
}

/**
 * Networks of all rounds of a lottery ticket, each a network of its own by the variable `round`, which is 0
 * before anything is pruned.
 */
export type TicketNetwork = GradientTicket | EvolvedTicket;

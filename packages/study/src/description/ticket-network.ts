import type { PruneByEvolutionOptions, TicketMethod } from "@isthmus/sparsity";
import type { OptimizerSpec, ScheduleSpec } from "@isthmus/training";

/** How much is pruned in how many rounds. */
export type RoundsChoice = Pick<PruneByEvolutionOptions, "sparsity" | "rounds" | "by">;

/** How rounds are trained without gradients. */
export type EvolutionChoice = Pick<
  PruneByEvolutionOptions,
  "generations" | "population" | "deviation" | "learningRate" | "deviationRate"
> & { readonly batch?: number };

/** What every lottery ticket has. */
interface AnyTicket extends RoundsChoice {
  /** Short string of the zoo, such as `mlp:512x3`. */
  readonly net: string;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of weights, order of examples, and of the networks that evolution draws. */
  readonly seed: number;
  readonly batch?: number;
}

/** Networks of all rounds of a lottery ticket by gradients; defaults are the ones of `pruneIteratively`. */
export interface GradientTicket extends AnyTicket {
  readonly tickets: Extract<TicketMethod, "gradient">;
  /** Epochs of the first training to whose weights every round goes back. @defaultValue 0: the start */
  readonly rewind?: number;
  readonly epochs: number;
  readonly optimizer?: OptimizerSpec;
  readonly schedule?: ScheduleSpec;
}

/** The same without gradients; defaults are of `pruneByEvolution`. */
export interface EvolvedTicket extends AnyTicket, EvolutionChoice {
  readonly tickets: Extract<TicketMethod, "evolution">;
}

/**
 * Networks of all rounds of a lottery ticket, each a network of its own by the variable `round`, which is 0
 * before anything is pruned.
 */
export type TicketNetwork = GradientTicket | EvolvedTicket;

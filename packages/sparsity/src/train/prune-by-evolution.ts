import { type Checkpoint, resolveFields } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { join, mkdir } from "@isthmus/platform";
import {
  type EvolutionOptions,
  type EvolutionProgress,
  type EvolutionResult,
  trainByEvolution,
} from "@isthmus/training";
import { findTickets, type TicketRound } from "./find-tickets.ts";
import { ROUNDS_FIELDS, type RoundsChoice } from "./rounds-fields.ts";

/** Options of pruning a network round by round without gradients. */
export interface PruneByEvolutionOptions
  extends RoundsChoice,
    Omit<EvolutionOptions, "masks" | "statePath" | "resume" | "onProgress"> {
  /** Folder for the states of trainings, from which an interrupted search goes on. @defaultValue none */
  readonly folder?: string | undefined;
  /** Called after every generation of round `round`, which is 0 for the dense network. */
  readonly onProgress?: ((progress: EvolutionProgress, round: number) => void) | undefined;
}

/** Result of a round. */
export type EvolvedRound = TicketRound<EvolutionResult>;

/**
 * Finds a lottery ticket without gradients: trains a network by evolution strategies, prunes the weights
 * whose mean is least for its standard deviation, sets the means of the remaining weights back to the start
 * and the deviations to their first value, trains again, and so on.
 *
 * Returns the dense network first, then each round; each round prunes the same share of the remaining
 * weights, and draws noise and examples from the same seed. Lange and Sprekeler, Lottery tickets in
 * evolutionary optimization: on sparse backpropagation-free trainability (2023).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, pruneByEvolution } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:4", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const options = { seed: 0, generations: 5, population: 8, batch: 50, sparsity: 0.75, rounds: 2 };
 * const [dense, half, ticket] = await pruneByEvolution(architecture, initialize(0), data, options);
 * assert(dense?.masks.size === 0);
 * assert(half?.pruning?.sparsity.toFixed(2) === "0.50" && ticket?.pruning?.sparsity.toFixed(2) === "0.75");
 * ```
 *
 * @throws OutOfRangeError if a number is out of its range; else as `trainByEvolution`
 */
export async function pruneByEvolution(
  { graph, engine }: Architecture,
  start: Checkpoint,
  data: DataSet,
  options: PruneByEvolutionOptions,
): Promise<readonly EvolvedRound[]> {
  const { sparsity: share, rounds: named, by: choice, folder, onProgress, ...evolution } = options;
  const chosen = { sparsity: share, rounds: named, by: choice };
  const { sparsity, rounds, by } = resolveFields("prune by evolution", ROUNDS_FIELDS, chosen);
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const evolve = async (round: number, masks?: ReadonlyMap<string, Uint8Array>) => {
    const { weights, deviations, result } = await trainByEvolution({ graph, engine }, start, data, {
      ...evolution,
      ...(masks && { masks }),
      ...(folder !== undefined && { statePath: join(folder, `round-${round}.safetensors`), resume: true }),
      ...(onProgress && { onProgress: (progress: EvolutionProgress) => onProgress(progress, round) }),
    });
    return { weights, deviations, training: result };
  };
  return findTickets({ graph }, await evolve(0), { sparsity, rounds, by }, evolve);
}

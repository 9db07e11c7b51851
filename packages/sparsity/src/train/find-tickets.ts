import type { Checkpoint } from "@isthmus/core";
import { OutOfRangeError } from "@isthmus/core";
import type { Masks } from "../masks/masks.ts";
import { type PrunedArchitecture, pruneNetwork } from "../prune-network.ts";
import { assertSparsity, type PruneChoice } from "../prune-options.ts";
import type { PruneResult } from "../prune-result.ts";

/** How much is pruned in how many rounds. */
export interface RoundOptions {
  /** Share that is pruned after the last round, in `[0, 1)`. */
  readonly sparsity: number;
  /** Rounds of pruning and training again, at least 1. @defaultValue 5 */
  readonly rounds?: number;
}

/** Rounds that are made where none are named. */
export const USUAL_ROUNDS = 5;

/** What a training of a round gives. */
export interface TrainedRound<T> {
  readonly weights: Checkpoint;
  /** Standard deviations of the weights, for training by evolution. */
  readonly deviations?: Checkpoint;
  readonly training: T;
}

/** What came of a round. */
export interface TicketRound<T> extends TrainedRound<T> {
  /** Empty for the network that was trained before anything was pruned. */
  readonly masks: Masks;
  /** Missing for it, too. */
  readonly pruning?: PruneResult;
}

/** Returns the share of weights that are zero after a round: 0 before anything was pruned. */
export function sparsityOf({ pruning }: TicketRound<unknown>): number {
  return pruning === undefined ? 0 : pruning.sparsity;
}

/**
 * Prunes a trained network round by round, the same share of what is left each time, and trains it again.
 * @param again - trains what the masks of a round, counted from 1, leave
 */
export async function findTickets<T>(
  architecture: PrunedArchitecture,
  dense: TrainedRound<T>,
  { sparsity, rounds, by }: Required<RoundOptions> & { readonly by: PruneChoice },
  again: (round: number, masks: Masks) => Promise<TrainedRound<T>>,
): Promise<readonly TicketRound<T>[]> {
  const results: TicketRound<T>[] = [{ ...dense, masks: new Map() }];
  let last = dense;
  for (let round = 1; round <= rounds; round++) {
    const share = 1 - (1 - sparsity) ** (round / rounds);
    const { deviations } = last;
    const options = { sparsity: share, by, ...(deviations && { deviations }) };
    const { masks, result } = await pruneNetwork(architecture, last.weights, options);
    last = await again(round, masks);
    results.push({ ...last, masks, pruning: result });
  }
  return results;
}

/**
 * Checks how much is pruned in how many rounds.
 * @throws OutOfRangeError if a number is out of its range
 */
export function assertRounds(attempt: string, { sparsity, rounds }: Required<RoundOptions>): void {
  assertSparsity(attempt, "sparsity", sparsity);
  if (!(Number.isInteger(rounds) && rounds >= 1)) {
    throw new OutOfRangeError(`Cannot ${attempt} as "rounds" must be a whole number from 1: it is ${rounds}`);
  }
}

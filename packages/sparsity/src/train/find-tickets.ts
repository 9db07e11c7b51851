import type { Checkpoint } from "@isthmus/core";
import type { Masks } from "../masks/masks.ts";
import { type PrunedArchitecture, pruneNetwork } from "../prune-network.ts";
import type { PruneResult } from "../prune-result.ts";
import type { RewindingChoice } from "./rounds-fields.ts";

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
  { sparsity, rounds, by }: Required<Omit<RewindingChoice, "rewindEpoch">>,
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

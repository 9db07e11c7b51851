import type { Checkpoint } from "@isthmus/core";
import type { Masks } from "../masks/masks.ts";
import { type PrunedArchitecture, pruneNetwork } from "../prune-network.ts";
import type { PruneResult } from "../prune-result.ts";
import type { RewindingChoice } from "./rounds-fields.ts";

/** Result of the training of a round. */
export interface TrainedRound<T> {
  /** Weights of the trained network; the means of the weights, for training by evolution. */
  readonly weights: Checkpoint;
  /** Standard deviations of the weights, for training by evolution. */
  readonly deviations?: Checkpoint;
  /** Record of the training of the round. */
  readonly training: T;
}

/** Result of a round: the trained network, and the pruning before it. */
export interface TicketRound<T> extends TrainedRound<T> {
  /** Masks of the round; empty for the dense network. */
  readonly masks: Masks;
  /** Result of the pruning; missing for the dense network. */
  readonly pruning?: PruneResult;
}

/** Returns the share of weights that are zero after a round: 0 for the dense network. */
export function sparsityOf({ pruning }: TicketRound<unknown>): number {
  return pruning === undefined ? 0 : pruning.sparsity;
}

/**
 * Prunes a trained network round by round, the same share of the remaining weights each time, and trains it
 * again.
 * @param again - trains the network with the masks of a round, counted from 1
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

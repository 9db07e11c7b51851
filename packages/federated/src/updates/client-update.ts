import { assertSameStructure, type Checkpoint, InputError, UsageError } from "@isthmus/core";
import type { ScaleOf } from "@isthmus/merging";
import { atRanksOf, type FactorPair } from "../adapters/factor-pairs.ts";

/** Update that a client sends at the end of its work in a round; its network is read range by range. */
export interface ClientUpdate {
  /** Name of the client; sums are taken in the order of names, whatever order updates arrive in. */
  readonly client: string;
  /** Number of examples that the client trained on, at least 1. */
  readonly examples: number;
  /**
   * The client's network after its work, of the names, shapes and element types of the global network; pairs
   * of factors of LoRA may have another rank, as the client took so many rows and columns of the network that
   * it began with, or added zeros.
   */
  readonly network: Checkpoint;
  /**
   * Scale of the products of the client's adapters, by module and rank; a tensor `alpha` beside factors takes
   * precedence. @defaultValue `scaleOf` of the aggregation
   */
  readonly scaleOf?: ScaleOf | undefined;
  /** Mean loss of the global network on the client's examples, for rules that weigh clients by loss. */
  readonly loss?: number | undefined;
  /**
   * The network that the client began with, if it is not the global network of this round.
   * @defaultValue the global network
   */
  readonly base?: Checkpoint | undefined;
  /** Number of rounds that passed since the client was given its base, at least 0. @defaultValue 0 */
  readonly staleness?: number | undefined;
}

/**
 * Returns updates in the order of their clients' names, checked against the global network.
 * @param pairs - pairs of factors, which may have other ranks than in the global network
 * @throws InputError if there are no updates
 * @throws UsageError if a client sent two updates, or a number is out of its range
 * @throws MismatchError if names, shapes or element types differ
 */
export function orderUpdates(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  pairs: readonly FactorPair[] = [],
): readonly [ClientUpdate, ...ClientUpdate[]] {
  // Names are ordered by code units, as the order of words differs between languages.
  const [first, ...others] = [...updates].sort((a, b) =>
    a.client < b.client ? -1 : Number(a.client > b.client),
  );
  if (first === undefined) {
    throw new InputError(
      "Cannot aggregate a round as no client sent an update: wait for one, or keep the network",
      {
        input: "updates",
      },
    );
  }
  const ordered = [first, ...others] as const;
  for (const [i, update] of ordered.entries()) {
    assertUpdate(update);
    if (i > 0 && ordered[i - 1]?.client === update.client) {
      throw new UsageError(
        `Cannot aggregate a round as client "${update.client}" sent two updates: one of them must be chosen before`,
      );
    }
    assertSameStructure(network, atRanksOf(update.network, pairs));
    if (update.base !== undefined) assertSameStructure(network, update.base);
  }
  return ordered;
}

function assertUpdate({ client, examples, staleness = 0 }: ClientUpdate): void {
  const attempt = `Cannot aggregate the update of "${client}"`;
  if (!(Number.isSafeInteger(examples) && examples >= 1)) {
    throw new UsageError(`${attempt} as "examples" must be a whole number of at least 1: it is ${examples}`);
  }
  if (!(Number.isFinite(staleness) && staleness >= 0)) {
    throw new UsageError(`${attempt} as "staleness" must be at least 0 rounds: it is ${staleness}`);
  }
}

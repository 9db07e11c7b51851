import { measureBarrier } from "@isthmus/barrier";
import { at, type Checkpoint, UsageError } from "@isthmus/core";
import { formatPairs } from "../format/format-table.ts";
import type { Context } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";
import type { OpenedNetworks } from "./open-networks.ts";

/** The barrier between two of the networks to merge. */
export interface MeasuredBarrier {
  /** Positions of the networks. */
  readonly networks: readonly [number, number];
  /** Height of the loss above the chord, by the definition of `isthmus barrier --max-barrier`. */
  readonly loss: number;
}

/** The outcome of `--require-barrier`. */
export interface BarrierGate {
  /** Largest allowed barrier, in the unit of the loss. */
  readonly limit: number;
  /** Barriers of every two networks, in the order of the first and then of the second. */
  readonly barriers: readonly MeasuredBarrier[];
  /** Reason why the merge does not take place; undefined if it does. */
  readonly failure: string | undefined;
}

/**
 * Measures the barriers between every two of the networks, in the state in which they would be merged.
 * @param networks - the networks under the graph's names, aligned if the options ask for it
 * @returns undefined without `--require-barrier`
 */
export async function requireBarrier(
  networks: readonly Checkpoint[],
  { architecture, data }: Pick<OpenedNetworks, "architecture" | "data">,
  { requireBarrier: limit, path, statistics }: MergeOptions,
  { signal, progress }: Context,
): Promise<BarrierGate | undefined> {
  if (limit === undefined) return undefined;
  if (architecture === undefined || data === undefined) {
    throw new UsageError(
      "Cannot measure a barrier as it needs the architecture and examples: there are none",
    );
  }
  const barriers: MeasuredBarrier[] = [];
  const pairs = networks.flatMap((_, a) => networks.slice(a + 1).map((_, k) => [a, a + 1 + k] as const));
  for (const [index, [a, b]] of pairs.entries()) {
    const ends = [at(networks, a, "network"), at(networks, b, "network")] as const;
    const { barrier } = await measureBarrier(architecture, ends, data, {
      path,
      signal,
      ...(statistics === undefined ? {} : { statistics }),
      onProgress: ({ done }) => progress("Measuring barriers", (index + done) / pairs.length),
    });
    barriers.push({ networks: [a, b], loss: barrier.loss.chord });
  }
  return { limit, barriers, failure: describeFailure(barriers, limit) };
}

function describeFailure(barriers: readonly MeasuredBarrier[], limit: number): string | undefined {
  const [highest] = [...barriers].sort((x, y) => y.loss - x.loss);
  if (highest === undefined || highest.loss <= limit) return undefined;
  const [a, b] = highest.networks;
  return `nothing was merged: the loss barrier between checkpoints ${a + 1} and ${b + 1} is ${highest.loss.toPrecision(4)}, more than the ${limit} of --require-barrier`;
}

/** Formats the barriers that were measured, one pair of checkpoints a line. */
export function formatBarrierGate({ barriers }: BarrierGate): string {
  return formatPairs(
    barriers.map(({ networks: [a, b], loss }) => [`barrier of ${a + 1} and ${b + 1}`, loss.toPrecision(4)]),
  );
}

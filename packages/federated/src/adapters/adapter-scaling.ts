import { type Checkpoint, MismatchError, UsageError } from "@isthmus/core";
import { readAlpha, type ScaleOf } from "@isthmus/merging";
import type { ClientUpdate } from "../updates/client-update.ts";
import { type FactorPair, rankIn } from "./factor-pairs.ts";

/** Scale of adapters, `alpha / rank`, as plain data: it differs between clients of different ranks. */
export interface AdapterScaling {
  /**
   * Numerator of the scale, `lora_alpha` of PEFT, for all ranks; `rank` if each client sets it to its own
   * rank, or a fixed multiple of it.
   */
  readonly alpha: number | "rank";
  /** Whether the scale is `alpha / sqrt(rank)`, `use_rslora` of PEFT. @defaultValue false */
  readonly rankStabilized?: boolean;
}

/** Returns the function that computes the scale of a module of a rank. */
export function scaleBy({ alpha, rankStabilized = false }: AdapterScaling): ScaleOf {
  return (_module, rank) => (alpha === "rank" ? rank : alpha) / (rankStabilized ? Math.sqrt(rank) : rank);
}

/** A network with adapters, and the scales of their products. */
export interface ScaledNetwork {
  /** Network with the factors of the adapters. */
  readonly network: Checkpoint;
  /** Scale of a module by its rank; undefined if it is not known, and counts as 1. */
  readonly scaleOf: ScaleOf | undefined;
}

/**
 * Reads the scale of a pair in a network: from its own tensor `alpha`, else by the network's scales.
 * @throws MismatchError if it is not a finite number other than 0
 */
export async function readScale({ network, scaleOf }: ScaledNetwork, pair: FactorPair): Promise<number> {
  const rank = rankIn(network, pair) ?? pair.rank;
  const scale =
    pair.alpha === undefined
      ? (scaleOf?.(pair.module, rank) ?? 1)
      : (await readAlpha(network, pair.alpha)) / rank;
  if (Number.isFinite(scale) && scale !== 0) return scale;
  throw new MismatchError(
    `Cannot aggregate "${network.source}" as the scale of "${pair.module}" must be a finite number other than 0: it is ${scale}`,
    { parameters: [pair.module] },
  );
}

/**
 * Checks that the scales of all clients are known if their ranks differ, as most programs divide by the rank.
 * @throws UsageError if ranks differ and the scale is not known
 */
export function assertScales(
  global: ScaledNetwork,
  updates: readonly Pick<ClientUpdate, "client" | "network">[],
  pairs: readonly FactorPair[],
): void {
  for (const pair of pairs) {
    if (pair.alpha !== undefined) continue;
    // An update without scales of its own has the scales of the global network.
    const other = updates.find(
      ({ network }) => rankIn(network, pair) !== pair.rank && global.scaleOf === undefined,
    );
    if (other === undefined) continue;
    throw new UsageError(
      `Cannot aggregate "${pair.module}" of rank ${rankIn(other.network, pair)} from "${other.client}" with rank ${pair.rank} of "${global.network.source}" as the scale of an adapter depends on its rank: state the "alpha" of "adapters" in the strategy, a number or "rank"`,
    );
  }
}

import { at, type Checkpoint } from "@isthmus/core";
import type { Factors, ScaleOf } from "@isthmus/merging";
import { CARRIED, stateOf } from "../aggregate/carried-state.ts";
import type { ClientUpdate } from "../updates/client-update.ts";
import type { FactorPair } from "./factor-pairs.ts";
import { displace, type ProductDisplacement, readScaled } from "./low-rank.ts";

/** The scales of a round's adapters, and the state that the round before left. */
interface ReadOptions {
  readonly scaleOf: ScaleOf | undefined;
  readonly state?: Checkpoint | undefined;
}

/** Displacement of an update in a pair, with the factors that it is the difference of. */
export interface ReadDisplacement extends ProductDisplacement {
  /** Factors that the client sent. */
  readonly factors: Factors;
  /** Factors of the network that the client began with, at the rank of the global network. */
  readonly began: Factors;
}

/** Reads the displacement of an update in a pair, by the factors that the client sent and began with. */
export async function readDisplacedPair(
  network: Checkpoint,
  { network: sent, base = network, scaleOf: scaleOfSent }: Pick<ClientUpdate, "network" | "base" | "scaleOf">,
  { pair, scaleOf }: { readonly pair: FactorPair; readonly scaleOf: ScaleOf | undefined },
): Promise<ReadDisplacement> {
  const began = await readScaled({ network: base, scaleOf }, pair);
  const factors = await readScaled({ network: sent, scaleOf: scaleOfSent ?? scaleOf }, pair);
  return { factors, began, ...displace(factors, began) };
}

/** Reads the factors of a state, whose products have scale 1; zeros in the first round. */
export function readState(
  network: Checkpoint,
  { state, name, pair }: Pick<ReadOptions, "state"> & { readonly name: string; readonly pair: FactorPair },
): Promise<Factors> {
  const states = stateOf(network, state, name);
  return readScaled({ network: states, scaleOf: undefined }, { ...pair, alpha: undefined });
}

/**
 * Returns the function that reads a point of a round in a pair: the displacement of an update, or, after the
 * last one, the aggregate that the round before left.
 */
export function productReader(
  network: Checkpoint,
  updates: readonly ClientUpdate[],
  { scaleOf, state }: ReadOptions,
): (pair: FactorPair, point: number) => Promise<Factors> {
  return async (pair, point) => {
    if (point === updates.length) return readState(network, { state, name: CARRIED, pair });
    return (await readDisplacedPair(network, at(updates, point, "update"), { pair, scaleOf })).change;
  };
}

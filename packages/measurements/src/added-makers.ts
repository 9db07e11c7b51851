import type { NetworkMaker } from "@isthmus/findings";

/** Makers of networks that users have added, by their names. */
const added = new Map<string, NetworkMaker>();

/**
 * Keeps a maker of networks that a user has added; its names have been checked.
 * @returns a function that removes the maker again
 */
export function keepNetworkMaker(maker: NetworkMaker): () => void {
  added.set(maker.name, maker);
  return () => added.delete(maker.name);
}

/** Lists the makers of networks that users have added, in the order of their addition. */
export function listAddedMakers(): readonly NetworkMaker[] {
  return [...added.values()];
}

import type { Checkpoint } from "@isthmus/core";
import type { BoundNetwork } from "@isthmus/graph";

const isBound = (network: Checkpoint | BoundNetwork): network is BoundNetwork => "restore" in network;

/** Returns a network under the graph's names. */
export const inGraph = (network: Checkpoint | BoundNetwork): Checkpoint =>
  isBound(network) ? network.network : network;

/** Returns a network under the names and in the layout of its own checkpoint. */
export const asStored = (network: Checkpoint | BoundNetwork): Checkpoint =>
  isBound(network) ? network.restore(network.network) : network;

/** Returns a changed network as it will be saved, and as the graph reads it back. */
export function asSaved(
  original: Checkpoint | BoundNetwork,
  changed: Checkpoint,
): { readonly restored: Checkpoint; readonly reread: Checkpoint } {
  if (!isBound(original)) return { restored: changed, reread: changed };
  const restored = original.restore(changed);
  return { restored, reread: original.reread(restored) };
}

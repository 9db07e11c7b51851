import type { Checkpoint } from "@isthmus/core";
import type { Architecture, BoundNetwork } from "@isthmus/graph";
import {
  type ProveAlignmentOptions,
  type ProvenGroup,
  proveAlignment,
  roundingTolerance,
  type Verification,
} from "./prove-alignment.ts";
import { asSaved, inGraph } from "./saved-network.ts";

/** A network before and after it was moved. */
export interface MovedPair {
  /** The network as it was given. */
  readonly original: Checkpoint | BoundNetwork;
  /** The moved network, under the graph's names. */
  readonly changed: Checkpoint;
  /**
   * Function that moves another network in the same way; undefined if weights are only permuted, which
   * rounds nothing.
   */
  readonly move: ((network: Checkpoint) => Promise<Checkpoint>) | undefined;
}

/**
 * Proves a moved network as it will be saved, under the checkpoint's own names, read back like any
 * checkpoint; returns it with the proof.
 * @throws UnsupportedError if it computes something else than before
 */
export async function proveSaved(
  architecture: Architecture,
  group: ProvenGroup,
  { original, changed, move }: MovedPair,
  options: Omit<ProveAlignmentOptions, "tolerance">,
): Promise<{ readonly restored: Checkpoint; readonly verified: Verification }> {
  const before = inGraph(original);
  const { restored, reread } = asSaved(original, changed);
  const { seed, signal } = options;
  const verified = await proveAlignment(architecture, group, [before, reread], {
    ...options,
    ...(move !== undefined && {
      tolerance: await roundingTolerance(architecture, before, move, { seed, signal }),
    }),
  });
  return { restored, verified };
}

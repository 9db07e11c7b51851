import type { Checkpoint } from "@isthmus/core";
import {
  type Alignment,
  type LinearKind,
  type LinearSymmetries,
  permute,
  rotateUnits,
  type SymmetrySpec,
} from "@isthmus/graph";
import { alignRotations } from "./align-rotations.ts";
import { canonicalize } from "./canonicalize.ts";

/** Result of {@link matchCanonical}. */
export interface MatchCanonicalResult<T> {
  /** What matching the canonical forms returned. */
  readonly found: T;
  /** B, permuted and with the scales, signs and rotations of A; lazy. Computes the same as B. */
  readonly network: Checkpoint;
}

/**
 * Matches two networks in their canonical forms, so that scales, signs and rotations do not hide which units correspond, and
 * gives B those of A.
 *
 * @param match - matches two networks by permutations
 * @throws MismatchError if the checkpoints do not fit the graph that the symmetries are of
 */
export async function matchCanonical<T extends { readonly alignment: Alignment }>(
  [a, b]: readonly [Checkpoint, Checkpoint],
  { spec, linear }: { readonly spec: SymmetrySpec; readonly linear: LinearSymmetries },
  kinds: readonly LinearKind[],
  match: (networks: readonly [Checkpoint, Checkpoint]) => Promise<T>,
): Promise<MatchCanonicalResult<T>> {
  const one = await canonicalize(a, { spec, linear }, { kinds });
  const two = await canonicalize(b, { spec, linear }, { kinds });
  const found = await match([one.network, two.network]);
  const network = one.undo(permute(found.alignment, two.network, spec));
  if (!kinds.includes("rotation") || linear.rotations.length === 0) return { found, network };
  const rotations = await alignRotations([a, network], spec, linear.rotations);
  return { found, network: rotateUnits(network, spec, rotations) };
}

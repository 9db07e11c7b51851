import type { Checkpoint } from "@isthmus/core";
import { type Alignment, type LinearKind, permute, type Rotation, rotateUnits } from "@isthmus/symmetry";
import { approach } from "./approach.ts";
import { canonicalize } from "./canonicalize.ts";
import { withTypesOf } from "./float-network.ts";
import type { FoundSymmetries } from "./found-symmetries.ts";
import { networkDistance } from "./network-distance.ts";

/** Result of {@link matchNormalized}. */
export interface MatchNormalizedResult<T> {
  /** What matching the canonical forms returned. */
  readonly found: T;
  /** B, permuted and with scales, signs and rotations as close to A as was found. Computes the same as B. */
  readonly network: Checkpoint;
  /** Distance of B from A in weight space over all parameters, before and after. */
  readonly distance: { readonly before: number; readonly after: number };
}

/** What a method found. */
interface Matched {
  readonly alignment: Alignment;
  /** Rotates permuted B. */
  readonly rotations?: readonly Rotation[];
}

/**
 * Matches two networks in their canonical forms, so that scales, signs and rotations do not hide which units
 * correspond, and gives B the scales, signs and rotations that bring it closest to A: first in canonical
 * form, where what differs between two forms of one network is a rotation or a sign, then in A's own form.
 *
 * @param match - matches two networks by permutations, or by rotations after them, which are then kept as
 *   they are
 * @throws InputError if a weight is NaN or infinite; it is named
 * @throws MismatchError if the checkpoints do not fit the graph that the symmetries are of
 */
export async function matchNormalized<T extends Matched>(
  [a, b]: readonly [Checkpoint, Checkpoint],
  symmetries: FoundSymmetries,
  kinds: readonly LinearKind[],
  match: (networks: readonly [Checkpoint, Checkpoint]) => Promise<T>,
): Promise<MatchNormalizedResult<T>> {
  const { spec } = symmetries;
  const one = await canonicalize(a, symmetries, { kinds });
  const two = await canonicalize(b, symmetries, { kinds });
  const matched = await match([one.network, two.network]);
  const { alignment, rotations = [] } = matched;
  const permuted = permute(alignment, two.network, spec);
  const rotated = rotations.length === 0 ? permuted : rotateUnits(permuted, spec, rotations);
  const others = rotations.length === 0 ? kinds : kinds.filter((kind) => kind !== "rotation");
  // In canonical form scales are what they have to be.
  const turning = others.filter((kind) => kind !== "scale");
  const formed = await one.undo(await approach([one.network, rotated], symmetries, turning));
  const network = withTypesOf(await approach([a, formed], symmetries, others), b);
  const distance = {
    before: await networkDistance([a, b], spec),
    after: await networkDistance([a, network], spec),
  };
  return { found: matched, network, distance };
}

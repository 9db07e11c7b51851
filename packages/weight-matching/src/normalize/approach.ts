import type { Checkpoint } from "@isthmus/core";
import type { LinearKind } from "@isthmus/symmetry";
import { alignFactors } from "./align-factors.ts";
import { alignRotations } from "./align-rotations.ts";
import type { FoundSymmetries } from "./found-symmetries.ts";
import { factorStep, rotationStep } from "./linear-steps.ts";
import { networkDistance } from "./network-distance.ts";

/** Rounds after which a network is left as it is. */
const MAX_ROUNDS = 20;

/** A round that lowers the squared distance by less than this share is the last. */
const TOLERANCE = 1e-6;

/**
 * Brings network B as close to network A as rotations, scales and signs allow, one kind after the other until
 * none helps. B keeps computing the same.
 *
 * @returns B, changed; in memory
 */
export async function approach(
  [a, b]: readonly [Checkpoint, Checkpoint],
  { spec, linear }: FoundSymmetries,
  kinds: readonly LinearKind[],
): Promise<Checkpoint> {
  if (kinds.length === 0) return b;
  let network = b;
  let distance = await networkDistance([a, network], spec);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let next = network;
    if (kinds.includes("rotation") && linear.rotations.length > 0) {
      next = await rotationStep(spec, await alignRotations([a, next], spec, linear.rotations)).apply(next);
    }
    for (const symmetry of [linear.signs, linear.scales]) {
      if (!kinds.includes(symmetry.kind) || symmetry.variables === 0) continue;
      next = await factorStep(symmetry, await alignFactors([a, next], symmetry)).apply(next);
    }
    const reached = await networkDistance([a, next], spec);
    if (!(reached < distance)) break;
    network = next;
    const gained = distance ** 2 - reached ** 2 > TOLERANCE * distance ** 2;
    distance = reached;
    if (!gained) break;
  }
  return network;
}

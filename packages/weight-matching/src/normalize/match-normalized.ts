import { asFloat32, type Checkpoint } from "@isthmus/core";
import {
  type Alignment,
  type LinearKind,
  permute,
  type Rotation,
  rotateUnits,
  type SymmetrySpec,
  wholeSpec,
} from "@isthmus/symmetry";
import { alignFactors } from "./align-factors.ts";
import { canonicalize } from "./canonicalize.ts";
import { withTypesOf } from "./float-network.ts";
import type { FoundSymmetries } from "./found-symmetries.ts";
import { applySteps, factorStep, type LinearStep, rotationStep } from "./linear-steps.ts";
import { alignRotations } from "./rotations.ts";

/** Result of {@link matchNormalized}. */
export interface MatchNormalizedResult<T> {
  /** Result of matching the canonical forms. */
  readonly found: T;
  /**
   * B, permuted, with the scales, signs and rotations that bring it closest to A; it computes the same as B.
   */
  readonly network: Checkpoint;
  /**
   * Function that applies the changes of B to another network of the graph, under the graph's names;
   * floating-point tensors of the result are f32.
   */
  readonly move: (network: Checkpoint) => Promise<Checkpoint>;
  /** Distance of B from A in weight space over all parameters, before and after. */
  readonly distance: { readonly before: number; readonly after: number };
}

/** Result of a method that matches networks. */
interface Matched {
  readonly alignment: Alignment;
  /** Rotations of permuted B. */
  readonly rotations?: readonly Rotation[];
}

/**
 * Matches two networks in their canonical forms, so that scales, signs and rotations do not hide which units
 * correspond, and gives B the scales, signs and rotations that bring it closest to A: first in canonical
 * form, where two forms of one network differ by a rotation or a sign only, then in A's own form.
 *
 * @param match - matches two networks by permutations, or by rotations after them, which are then kept
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
  const place = (form: Checkpoint): Checkpoint => {
    const permuted = permute(alignment, form, wholeSpec(symmetries));
    return rotations.length === 0 ? permuted : rotateUnits(permuted, spec, rotations);
  };
  const rotated = place(two.network);
  const others = rotations.length === 0 ? kinds : kinds.filter((kind) => kind !== "rotation");
  // In canonical form the scales are settled already.
  const turning = others.filter((kind) => kind !== "scale");
  const turned = await approach([one.network, rotated], symmetries, turning);
  const approached = await approach([a, await one.undo(turned.network)], symmetries, others);
  const network = withTypesOf(approached.network, b);
  const distance = {
    before: await networkDistance([a, b], spec),
    after: await networkDistance([a, network], spec),
  };
  const move = async (other: Checkpoint): Promise<Checkpoint> => {
    const formed = await applySteps(turned.steps, place(await two.apply(other)));
    return applySteps(approached.steps, await one.undo(formed));
  };
  return { found: matched, network, move, distance };
}

/** Most rounds, after which a network is not changed further. */
const MAX_ROUNDS = 20;

/** A round that lowers the squared distance by less than this share is the last. */
const TOLERANCE = 1e-6;

/** A network brought closer to another, and the steps that did so. */
interface Approached {
  readonly network: Checkpoint;
  /** Changes made to the network, in order. */
  readonly steps: readonly LinearStep[];
}

/**
 * Brings network B as close to network A as rotations, scales and signs allow, one kind after the other until
 * none helps. B keeps computing the same.
 *
 * @returns B, changed; in memory
 */
async function approach(
  [a, b]: readonly [Checkpoint, Checkpoint],
  { spec, linear }: FoundSymmetries,
  kinds: readonly LinearKind[],
): Promise<Approached> {
  if (kinds.length === 0) return { network: b, steps: [] };
  let [network, steps]: [Checkpoint, readonly LinearStep[]] = [b, []];
  let distance = await networkDistance([a, network], spec);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const taken: LinearStep[] = [];
    let next = network;
    const take = async (step: LinearStep): Promise<void> => {
      taken.push(step);
      next = await step.apply(next);
    };
    if (kinds.includes("rotation") && linear.rotations.length > 0) {
      await take(rotationStep(spec, await alignRotations([a, next], spec, linear.rotations)));
    }
    for (const symmetry of [linear.signs, linear.scales]) {
      if (!kinds.includes(symmetry.kind) || symmetry.variables === 0) continue;
      await take(factorStep(symmetry, await alignFactors([a, next], symmetry)));
    }
    const reached = await networkDistance([a, next], spec);
    if (!(reached < distance)) break;
    [network, steps] = [next, [...steps, ...taken]];
    const gained = distance ** 2 - reached ** 2 > TOLERANCE * distance ** 2;
    distance = reached;
    if (!gained) break;
  }
  return { network, steps };
}

/**
 * Measures the distance of two networks in weight space, over all parameters of a specification: the root of
 * the sum of squared differences.
 */
async function networkDistance(
  [a, b]: readonly [Checkpoint, Checkpoint],
  { weights }: SymmetrySpec,
): Promise<number> {
  let sum = 0;
  for (const [name, { role }] of weights) {
    if (role !== "parameter") continue;
    const [left, right] = await Promise.all([a.read(name), b.read(name)]);
    const [one, two] = [asFloat32(left.data, left.dtype), asFloat32(right.data, right.dtype)];
    for (let i = 0; i < one.length; i++) sum += ((one[i] as number) - (two[i] as number)) ** 2;
  }
  return Math.sqrt(sum);
}

import { type Checkpoint, resolveOptions } from "@isthmus/core";
import { LINEAR_KINDS, type LinearKind } from "@isthmus/symmetry";
import { diagonalizeRotations } from "./align-rotations.ts";
import { balanceCells } from "./balance-cells.ts";
import { balanceScales } from "./balance-scales.ts";
import { readAsFloats } from "./float-network.ts";
import type { FoundSymmetries } from "./found-symmetries.ts";
import { factorStep, type LinearStep, rotationStep } from "./linear-steps.ts";
import { orientSigns } from "./orient-signs.ts";

/** Options of {@link canonicalize}. */
export interface CanonicalizeOptions {
  /** What to bring to a canonical form. @defaultValue all kinds */
  readonly kinds?: readonly LinearKind[];
}

/** Defaults of {@link CanonicalizeOptions}. */
export const CANONICALIZE_DEFAULTS: Required<CanonicalizeOptions> = { kinds: LINEAR_KINDS };

/** Result of {@link canonicalize}. */
export interface CanonicalizeResult {
  /** Computes the same as the network, with its units in canonical form; f32, in memory. */
  readonly network: Checkpoint;
  /** Undoes on any network what was done to this one. */
  readonly undo: (network: Checkpoint) => Promise<Checkpoint>;
}

/**
 * Brings a network to a canonical form under symmetries beyond permutation: cells rotated so that their units
 * are orthogonal, units scaled so that norms in front and behind are equal, and negated so that the sums in
 * front are not negative. Where cells are both scaled and rotated, which together is any invertible matrix,
 * their units are balanced as a whole: products of units in front equal those behind.
 *
 * Two networks that differ by scales, signs or rotations have forms that differ by permutations only, up to
 * cells whose units have equal norms. The network computes the same as before.
 *
 * @param symmetries - the permutation symmetries and those beyond of the network's graph
 * @throws InputError if a weight is NaN or infinite; it is named
 * @throws MismatchError if the checkpoint does not fit the graph they were discovered in
 */
export async function canonicalize(
  checkpoint: Checkpoint,
  symmetries: FoundSymmetries,
  options: CanonicalizeOptions = {},
): Promise<CanonicalizeResult> {
  const { kinds } = resolveOptions("bring a network to a canonical form", CANONICALIZE_DEFAULTS, options);
  const { spec, linear } = symmetries;
  const steps: LinearStep[] = [];
  let network = await readAsFloats(checkpoint);
  const take = async (step: LinearStep): Promise<void> => {
    steps.push(step);
    network = await step.apply(network);
  };
  const [scales, signs, rotations] = [linear.scales, linear.signs, linear.rotations];
  const rotates = kinds.includes("rotation") && rotations.length > 0;
  if (rotates && kinds.includes("scale")) {
    const { turned, factors } = await balanceCells(network, symmetries);
    await take(rotationStep(spec, turned));
    await take(factorStep(scales, factors));
  }
  if (rotates) await take(rotationStep(spec, await diagonalizeRotations(network, spec, rotations)));
  if (kinds.includes("scale")) await take(factorStep(scales, await balanceScales(network, scales)));
  if (kinds.includes("sign")) await take(factorStep(signs, await orientSigns(network, signs)));
  return {
    network,
    async undo(other) {
      let current = other;
      for (const { undo } of steps.toReversed()) current = await undo(current);
      return current;
    },
  };
}

import { type Checkpoint, resolveOptions } from "@isthmus/core";
import {
  LINEAR_KINDS,
  type LinearKind,
  type LinearSymmetries,
  multiplyUnits,
  type Rotation,
  rotateUnits,
  type SymmetrySpec,
} from "@isthmus/graph";
import { diagonalizeRotations } from "./align-rotations.ts";
import { balanceScales } from "./balance-scales.ts";
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
  /** Computes the same as the network, with its units in canonical form; lazy. */
  readonly network: Checkpoint;
  /** Undoes on any network what was done to this one; lazy. */
  readonly undo: (network: Checkpoint) => Checkpoint;
}

/** One step of a canonical form, and its inverse. */
interface Step {
  readonly apply: (network: Checkpoint) => Checkpoint;
  readonly undo: (network: Checkpoint) => Checkpoint;
}

/**
 * Brings a network to a canonical form under symmetries beyond permutation: cells rotated so that their units are orthogonal,
 * units scaled so that norms in front and behind are equal, and negated so that the sums in front are not negative.
 *
 * Two networks that differ by scales, signs or rotations have forms that differ by permutations only, up to cells whose units
 * have equal norms. The network computes the same as before.
 *
 * @param found - the permutation symmetries and those beyond of the network's graph
 * @throws MismatchError if the checkpoint does not fit the graph they were discovered in
 */
export async function canonicalize(
  checkpoint: Checkpoint,
  found: { readonly spec: SymmetrySpec; readonly linear: LinearSymmetries },
  options: CanonicalizeOptions = {},
): Promise<CanonicalizeResult> {
  const { kinds } = resolveOptions("bring a network to a canonical form", CANONICALIZE_DEFAULTS, options);
  const { spec, linear } = found;
  const steps: Step[] = [];
  let network = checkpoint;
  const take = (step: Step): void => {
    steps.push(step);
    network = step.apply(network);
  };
  if (kinds.includes("rotation") && linear.rotations.length > 0) {
    take(rotationStep(spec, await diagonalizeRotations(network, spec, linear.rotations)));
  }
  if (kinds.includes("scale")) {
    const factors = await balanceScales(network, linear.scales);
    take(factorStep(linear.scales, factors));
  }
  if (kinds.includes("sign")) {
    const signs = await orientSigns(network, linear.signs);
    take(factorStep(linear.signs, signs));
  }
  return { network, undo: (other) => steps.reduceRight((current, { undo }) => undo(current), other) };
}

function factorStep(symmetry: LinearSymmetries["scales"], factors: Float64Array): Step {
  const inverse = factors.map((factor) => 1 / factor);
  return {
    apply: (network) => multiplyUnits(network, symmetry, factors),
    undo: (network) => multiplyUnits(network, symmetry, inverse),
  };
}

function rotationStep(spec: SymmetrySpec, rotations: readonly Rotation[]): Step {
  const inverse = rotations.map(
    ({ space, matrix }): Rotation => ({ space, matrix: transpose(matrix, space.size) }),
  );
  return {
    apply: (network) => rotateUnits(network, spec, rotations),
    undo: (network) => rotateUnits(network, spec, inverse),
  };
}

function transpose(matrix: Float64Array, size: number): Float64Array {
  return matrix.map((_, at) => matrix[(at % size) * size + Math.floor(at / size)] as number);
}

import { type Checkpoint, createRandom, type Random } from "@isthmus/core";
import type { SymmetrySpec } from "../spec.ts";
import type { LinearKind } from "./factor-algebra.ts";
import type { DiagonalSymmetry, LinearSymmetries } from "./linear-symmetries.ts";
import { multiplyUnits } from "./multiply-units.ts";
import { type Rotation, rotateUnits } from "./rotate-units.ts";

/** Largest random scale; the smallest is its inverse. */
const LARGEST_SCALE = 2;

/**
 * An element of the symmetries beyond permutation: scales, then signs, then rotations; what is left out
 * changes nothing.
 */
export interface LinearElement {
  /** A number for each variable, `[variables]`. */
  readonly scales?: Float64Array | undefined;
  readonly signs?: Float64Array | undefined;
  readonly rotations?: readonly Rotation[] | undefined;
}

/**
 * Draws a random element: all units are scaled, negated by chance, and all cells rotated, for the kinds that
 * are chosen.
 */
export function randomElement(
  { scales, signs, rotations }: LinearSymmetries,
  { seed, kinds }: { readonly seed: number; readonly kinds: readonly LinearKind[] },
): LinearElement {
  const draw = (symmetry: DiagonalSymmetry, next: (random: Random) => number): Float64Array | undefined => {
    if (!kinds.includes(symmetry.kind)) return undefined;
    const random = createRandom(seed, symmetry.kind);
    return Float64Array.from({ length: symmetry.variables }, () => next(random));
  };
  const random = createRandom(seed, "rotation");
  return {
    scales: draw(scales, (next) => LARGEST_SCALE ** (2 * next.uniform() - 1)),
    signs: draw(signs, (next) => (next.uniform() < 0.5 ? -1 : 1)),
    rotations: kinds.includes("rotation")
      ? rotations.map((space): Rotation => ({ space, matrix: randomOrthogonal(space.size, random) }))
      : undefined,
  };
}

/**
 * Transforms a network by a random element of the symmetries beyond permutation: all units are scaled,
 * negated by chance, and all cells rotated, for the kinds that are chosen. The result computes the same
 * function.
 *
 * @param spec - the permutation symmetries whose cells the rotations mix
 * @throws MismatchError if the checkpoint does not fit the graph they were discovered in
 */
export function transformRandomly(
  checkpoint: Checkpoint,
  spec: SymmetrySpec,
  symmetries: LinearSymmetries,
  options: { readonly seed: number; readonly kinds: readonly LinearKind[] },
): Checkpoint {
  const { scales, signs, rotations = [] } = randomElement(symmetries, options);
  const scaled = scales === undefined ? checkpoint : multiplyUnits(checkpoint, symmetries.scales, scales);
  const signed = signs === undefined ? scaled : multiplyUnits(scaled, symmetries.signs, signs);
  return rotations.length === 0 ? signed : rotateUnits(signed, spec, rotations);
}

/**
 * Draws a random orthogonal matrix, `[size, size]`: normal vectors made orthonormal one after the other,
 * twice because of rounding.
 */
function randomOrthogonal(size: number, random: Random): Float64Array {
  const matrix = Float64Array.from({ length: size * size }, () => random.normal());
  for (let i = 0; i < size; i++) {
    const row = matrix.subarray(i * size, (i + 1) * size);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) subtractProjection(row, matrix.subarray(j * size, (j + 1) * size));
    }
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let k = 0; k < size; k++) row[k] = (row[k] as number) / norm;
  }
  return matrix;
}

function subtractProjection(row: Float64Array, other: Float64Array): void {
  const length = row.reduce((sum, value, k) => sum + value * (other[k] as number), 0);
  for (let k = 0; k < row.length; k++) row[k] = (row[k] as number) - length * (other[k] as number);
}

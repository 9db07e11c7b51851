import { createRandom, type Random } from "@isthmus/core";
import type { MixingMatrix, Mixture, SymmetricFactor } from "./mix-units.ts";
import type { MixingGroup, MixingSpace } from "./mixing-symmetries.ts";
import { randomOrthonormal } from "./random-orthogonal.ts";

/** Largest factor by which a random matrix stretches a direction; the smallest is its inverse. */
const LARGEST_STRETCH = 1.5;

/**
 * Draws a random matrix of the group of each space. A matrix that is no complex number multiplies one random
 * direction by a factor and leaves all that is orthogonal to it, so that mixing `n` units takes time in
 * proportion to the tensor rather than `n` times as much. The factor is -1, which makes a reflection; for
 * invertible matrices it is negative and random.
 *
 * If such matrices change nothing, whole groups change nothing, with probability 1:
 *
 * 1. The change is an analytic function of the directions and factors of all spaces; if it is 0 at random
 *    ones, it is 0 at all of them. Elements that change nothing form a group.
 * 2. Two reflections make a rotation of a plane by any angle, and these rotations generate all rotations, in
 *    the complement of the vector of ones as well. If one space alone changes its direction, all other
 *    reflections cancel: every space may be rotated by itself.
 * 3. Two factors along one direction make a stretch of that direction alone, and stretches and rotations
 *    generate the invertible matrices of positive determinant.
 * 4. Every draw has a negative determinant in every space. So one thing is not told apart, if the rotations
 *    of two spaces hold: whether a reflection of one space holds alone, or only together with a reflection of
 *    the other. Signs tell it, which are drawn for each unit by itself, if they are symmetries as well.
 */
export function randomMixture(spaces: readonly MixingSpace[], seed: number): Mixture<MixingMatrix> {
  const random = createRandom(seed, "mixture");
  const drawn = spaces.map(({ size, group }) => drawMatrix(size, group, random));
  return { matrices: drawn.map(({ matrix }) => matrix), inverses: drawn.map(({ inverse }) => inverse) };
}

function drawMatrix(
  size: number,
  group: MixingGroup,
  random: Random,
): { readonly matrix: MixingMatrix; readonly inverse: MixingMatrix } {
  if (group === "complex" || group === "unit-complex") return randomComplex(group, random);
  const factor = drawFactor(size, group, random);
  const inverse = { ...factor, stretches: factor.stretches.map((stretch) => 1 / stretch) };
  return { matrix: [factor], inverse: [inverse] };
}

/** Draws a factor of one direction; of none, if the space has no direction orthogonal to ones. */
function drawFactor(size: number, group: MixingGroup, random: Random): SymmetricFactor {
  const isCentred = group === "orthogonal-keeping-ones";
  const count = isCentred ? Math.min(1, size - 1) : 1;
  const directions = randomOrthonormal([count, size], random, { isCentred });
  const stretches = Float64Array.from({ length: count }, () =>
    group === "invertible" ? -(LARGEST_STRETCH ** (2 * random.uniform() - 1)) : -1,
  );
  return { directions, stretches };
}

/** Draws the matrix that multiplies pairs by a complex number. */
function randomComplex(group: "complex" | "unit-complex", random: Random) {
  const angle = 2 * Math.PI * random.uniform();
  const length = group === "complex" ? LARGEST_STRETCH ** (2 * random.uniform() - 1) : 1;
  const times = (scale: number) => {
    const [x, y] = [scale * Math.cos(angle), scale * Math.sin(angle)];
    return Float64Array.of(x, -y, y, x);
  };
  return { matrix: times(length), inverse: times(1 / length) };
}

import { createRandom, type Random } from "@isthmus/core";
import type { MixingMatrix, Mixture, SymmetricFactor } from "./mix-units.ts";
import type { MixingGroup, MixingSpace } from "./mixing-symmetries.ts";
import { randomOrthonormal } from "./random-orthogonal.ts";

/** Largest factor by which a random matrix stretches a direction; the smallest is its inverse. */
const LARGEST_STRETCH = 1.5;

/** Most directions that one factor of a random matrix turns round; odd. */
const MOST_DIRECTIONS = 3;

/**
 * Draws a random matrix of the group of each space. Matrices that are no complex number are products of two
 * symmetric factors of few directions, so that mixing `n` units takes time in proportion to the tensor rather
 * than `n` times as much.
 *
 * The first factor turns an odd number of random directions round and leaves all that is orthogonal to them;
 * the second an even number. For invertible matrices each direction is also stretched. If such a product
 * changes nothing, the whole group changes nothing, with probability 1:
 *
 * 1. The change is an analytic function of the directions and stretches; if it is 0 at random ones, it is 0
 *    at all of them.
 * 2. If the directions of the second factor are also directions of the first, the product turns an odd number
 *    of directions round. Two such products that differ in one direction make a rotation of a plane by any
 *    angle, and these rotations with one matrix of determinant -1 generate the orthogonal group, in the
 *    complement of the vector of ones as well.
 * 3. Stretches of single directions and the orthogonal group generate the invertible matrices.
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
  const half = Math.min(MOST_DIRECTIONS, Math.max(1, Math.floor(size / 2)));
  const odd = half % 2 === 1 ? half : half - 1;
  const matrix = [odd, odd - 1].map((count) => drawFactor([count, size], group, random));
  const inverse = matrix.map(({ directions, stretches }) => ({
    directions,
    stretches: stretches.map((stretch) => 1 / stretch),
  }));
  return { matrix, inverse };
}

function drawFactor(
  [count, size]: readonly [number, number],
  group: MixingGroup,
  random: Random,
): SymmetricFactor {
  const keepsOnes = group === "orthogonal-keeping-ones";
  const directions = randomOrthonormal([Math.min(count, keepsOnes ? size - 1 : size), size], random, {
    isCentred: keepsOnes,
  });
  const stretches = Float64Array.from({ length: directions.length / size }, () =>
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

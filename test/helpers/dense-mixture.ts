import { createRandom, type Random } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import type { MixingGroup, MixingSpace, Mixture } from "@isthmus/symmetry";
import { randomOrthogonal } from "../../packages/symmetry/src/mixing/random-orthogonal.ts";

/** Largest singular value of a random invertible matrix; the smallest is its inverse. */
const LARGEST_STRETCH = 1.5;

/** Draws a random matrix of the group of each space, which moves every unit far. */
export function denseMixture(spaces: readonly MixingSpace[], seed: number): Mixture {
  const random = createRandom(seed, "mixture");
  const drawn = spaces.map(({ size, group }) => drawMatrix(size, group, random));
  return { matrices: drawn.map(({ matrix }) => matrix), inverses: drawn.map(({ inverse }) => inverse) };
}

function drawMatrix(size: number, group: MixingGroup, random: Random) {
  if (group === "orthogonal-keeping-ones") {
    const keeping = randomKeepingOnes(size, random);
    return { matrix: keeping, inverse: keeping };
  }
  if (group === "complex" || group === "unit-complex") return randomComplex(group, random);
  const rotation = randomOrthogonal(size, random);
  if (group === "orthogonal") return { matrix: rotation, inverse: rotation };
  const other = randomOrthogonal(size, random);
  const stretches = Float64Array.from({ length: size }, () => LARGEST_STRETCH ** (2 * random.uniform() - 1));
  const stretched = (power: number) =>
    product(
      rotation.map((value, i) => value * (stretches[i % size] as number) ** power),
      other,
      size,
    );
  return { matrix: stretched(1), inverse: stretched(-1) };
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

/** Draws an orthogonal matrix that does not change the vector of ones. */
function randomKeepingOnes(size: number, random: Random): Float64Array {
  const inner = randomOrthogonal(size - 1, random);
  const basis = onesFirst(size);
  const turned = new Float64Array(size * size);
  turned[0] = 1;
  for (let i = 1; i < size; i++) {
    turned.set(inner.subarray((i - 1) * (size - 1), i * (size - 1)), i * size + 1);
  }
  return product(product(basis, turned, size), basis, size);
}

/** Creates the reflection that swaps the first unit vector and the vector of ones, divided by its length. */
function onesFirst(size: number): Float64Array {
  const normal = new Float64Array(size).fill(-1 / Math.sqrt(size));
  normal[0] = (normal[0] as number) + 1;
  const square = normal.reduce((sum, value) => sum + value * value, 0);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const reflected = (2 * (normal[i] as number) * (normal[j] as number)) / square;
      matrix[i * size + j] = (i === j ? 1 : 0) - reflected;
    }
  }
  return matrix;
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  return multiply(createMatrix(size, size, a), createMatrix(size, size, b)).data as Float64Array;
}

import { innerProduct, type Random } from "@isthmus/core";

/** Computes the Euclidean norm of a vector. */
export function norm(x: Float64Array): number {
  return Math.sqrt(innerProduct(x, x));
}

/** Adds a multiple of a vector to another one in place. */
export function addMultipleInPlace(target: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (x[i] as number);
}

/** Multiplies a vector by a number in place. */
export function scaleInPlace(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) * factor;
}

/** Fraction of a vector's length that must remain for its rounding errors along other vectors to be small. */
const LEFT = 0.7;

/**
 * Removes the parts along orthonormal vectors from a vector in place. It does so twice if little of the
 * vector remains, as rounding errors along the vectors are not small beside the remainder.
 * @returns the part along each vector
 */
export function orthogonalizeInPlace(x: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const parts = new Float64Array(basis.length);
  for (let pass = 0; pass < 2; pass++) {
    const before = norm(x);
    const along = partsAlong(x, basis);
    takeOutInPlace(x, basis, along);
    for (let i = 0; i < parts.length; i++) parts[i] = (parts[i] as number) + (along[i] as number);
    if (norm(x) >= LEFT * before) break;
  }
  return parts;
}

/**
 * Number of vectors that are read at once: that takes fewer passes over the other vector, and the sums do not
 * wait for one another.
 */
const AT_ONCE = 4;

/** Computes the scalar products of a vector with others. */
function partsAlong(x: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const parts = new Float64Array(basis.length);
  for (let first = 0; first < basis.length; first += AT_ONCE) {
    const [a = x, b = x, c = x, d = x] = basis.slice(first, first + AT_ONCE);
    let [inA, inB, inC, inD] = [0, 0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const value = x[i] as number;
      inA += value * (a[i] as number);
      inB += value * (b[i] as number);
      inC += value * (c[i] as number);
      inD += value * (d[i] as number);
    }
    [inA, inB, inC, inD].slice(0, basis.length - first).forEach((part, i) => {
      parts[first + i] = part;
    });
  }
  return parts;
}

function takeOutInPlace(x: Float64Array, basis: readonly Float64Array[], parts: Float64Array): void {
  const none = new Float64Array(x.length);
  for (let first = 0; first < basis.length; first += AT_ONCE) {
    const [a = none, b = none, c = none, d = none] = basis.slice(first, first + AT_ONCE);
    const [ofA = 0, ofB = 0, ofC = 0, ofD = 0] = parts.subarray(first, first + AT_ONCE);
    for (let i = 0; i < x.length; i++) {
      const onePair = ofA * (a[i] as number) + ofB * (b[i] as number);
      const otherPair = ofC * (c[i] as number) + ofD * (d[i] as number);
      x[i] = (x[i] as number) - (onePair + otherPair);
    }
  }
}

/** Draws a vector of independent signs. */
export function randomSigns(random: Random, dimension: number): Float64Array {
  const signs = new Float64Array(dimension);
  let bits = 0;
  for (let i = 0; i < dimension; i++) {
    // Each of the 32 bits of a draw is a sign, as draws take longer than everything else here.
    bits = i % 32 === 0 ? random.integer(2 ** 32) : bits >>> 1;
    signs[i] = (bits & 1) === 0 ? -1 : 1;
  }
  return signs;
}

/** Draws a vector of length 1, all directions equally likely. */
export function randomDirection(random: Random, dimension: number): Float64Array {
  const direction = new Float64Array(dimension);
  for (let i = 0; i < dimension; i++) direction[i] = random.normal();
  const length = norm(direction);
  scaleInPlace(direction, length > 0 ? 1 / length : 1);
  return direction;
}

import { at, innerProduct, type Random } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";

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

/** Elements of a piece of vectors, so that the pieces of some dozens of vectors stay in the cache. */
const PIECE = 4096;

/**
 * Removes the parts along orthonormal vectors from several vectors in place, as {@link orthogonalizeInPlace}
 * does, by products of matrices: the basis is read twice for all vectors together, not for each.
 */
export function orthogonalizeAllInPlace(
  vectors: readonly Float64Array[],
  basis: readonly Float64Array[],
): void {
  const dimension = vectors[0]?.length ?? 0;
  if (basis.length === 0) return;
  const before = vectors.map(norm);
  const parts = new Float64Array(vectors.length * basis.length);
  const along = createMatrix(vectors.length, basis.length, parts);
  const pieceOfVectors = pieceReader(vectors);
  const pieceOfBasis = pieceReader(basis);
  for (let begin = 0; begin < dimension; begin += PIECE) {
    const options = { transposeRight: true };
    const inPiece = multiply(pieceOfVectors(begin), pieceOfBasis(begin), options);
    addMultipleInPlace(parts, 1, inPiece.data as Float64Array);
  }
  for (let begin = 0; begin < dimension; begin += PIECE) {
    const end = Math.min(begin + PIECE, dimension);
    const { data } = multiply(along, pieceOfBasis(begin));
    for (const [i, vector] of vectors.entries()) {
      const removed = data.subarray(i * (end - begin), (i + 1) * (end - begin)) as Float64Array;
      addMultipleInPlace(vector.subarray(begin, end), -1, removed);
    }
  }
  vectors.forEach((vector, i) => {
    if (norm(vector) < LEFT * at(before, i, "length")) orthogonalizeInPlace(vector, basis);
  });
}

/**
 * Returns a function that copies the piece of vectors that begins at an element into the rows of a matrix,
 * whose memory the next piece takes.
 */
function pieceReader(vectors: readonly Float64Array[]): (begin: number) => Matrix {
  const scratch = new Float64Array(vectors.length * PIECE);
  return (begin) => {
    const size = Math.min(PIECE, (vectors[0]?.length ?? 0) - begin);
    for (const [i, vector] of vectors.entries()) scratch.set(vector.subarray(begin, begin + size), i * size);
    return createMatrix(vectors.length, size, scratch.subarray(0, vectors.length * size));
  };
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
  for (let begin = 0; begin < dimension; begin += 32) {
    // Each of the 32 bits of a draw is a sign; a branch on a random bit would take as long as a draw.
    const bits = random.integer(2 ** 32);
    const count = Math.min(32, dimension - begin);
    for (let i = 0; i < count; i++) signs[begin + i] = 2 * ((bits >>> i) & 1) - 1;
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

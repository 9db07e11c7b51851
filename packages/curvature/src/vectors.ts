import { at, innerProduct, type Random } from "@isthmus/core";
import {
  createMatrix,
  invertCholesky,
  type Matrix,
  type MatrixProducts,
  plainProducts,
} from "@isthmus/linear-algebra";

/** Computes the Euclidean norm of a vector. */
export function norm(x: Float64Array): number {
  return Math.sqrt(innerProduct(x, x));
}

/** Adds a multiple of a vector to another one in place. */
export function addMultipleInPlace(target: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (x[i] as number);
}

/** Adds a multiple of a vector, then of another one, to a vector in place, in one pass. */
export function addTwoMultiplesInPlace(
  target: Float64Array,
  first: readonly [factor: number, x: Float64Array],
  second: readonly [factor: number, x: Float64Array],
): void {
  const [[ofX, x], [ofY, y]] = [first, second];
  for (let i = 0; i < target.length; i++) {
    target[i] = (target[i] as number) + ofX * (x[i] as number) + ofY * (y[i] as number);
  }
}

/** Multiplies a vector by a number in place. */
export function scaleInPlace(x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) * factor;
}

/** Fraction of a vector's length that must remain for its rounding errors along other vectors to be small. */
const LEFT = 0.7;

/** Elements of a piece of vectors, so that the pieces of some dozens of vectors stay in the cache. */
const PIECE = 4096;

/** Parts of a vector along orthonormal vectors, and its length with and without them. */
export interface VectorParts {
  /** Part along each vector. */
  readonly parts: Float64Array;
  /** Length of the whole vector. */
  readonly whole: number;
  /** Length of the remainder. */
  readonly left: number;
}

/**
 * Removes the parts along orthonormal vectors from a vector in place. It does so twice if little of the
 * vector remains, as rounding errors along the vectors are not small beside the remainder.
 */
export function orthogonalizeInPlace(x: Float64Array, basis: readonly Float64Array[]): VectorParts {
  const first = partsAlong(x, basis);
  const left = takeOutInPlace(x, basis, first.parts);
  if (left >= LEFT * first.length) return { parts: first.parts, whole: first.length, left };
  const second = partsAlong(x, basis);
  const parts = first.parts.map((part, i) => part + at(second.parts, i, "part"));
  return { parts, whole: first.length, left: takeOutInPlace(x, basis, second.parts) };
}

/** Orthonormal vectors to make others orthogonal to, and the multiplier that does so. */
interface OrthogonalizeOptions {
  /** Orthonormal vectors. */
  readonly basis: readonly Float64Array[];
  /** Multiplier of matrices of vectors. @defaultValue `plainProducts` */
  readonly products?: MatrixProducts | undefined;
}

/**
 * Removes the parts along orthonormal vectors from several vectors in place, as {@link orthogonalizeInPlace}
 * does, by products of matrices: the basis is read twice for all vectors together, not for each.
 */
export async function orthogonalizeAllInPlace(
  vectors: readonly Float64Array[],
  { basis, products = plainProducts }: OrthogonalizeOptions,
): Promise<void> {
  if (basis.length === 0) return;
  const [rows, columns] = [vectors.length, basis.length];
  let squares = vectors.map((vector) => innerProduct(vector, vector));
  for (let pass = 0; pass < 2; pass++) {
    const { data } = await partsOf(vectors, basis, products);
    // Each vector, less its parts along the basis.
    const factors = new Float64Array(rows * (rows + columns));
    const left = squares.map((square, i) => {
      const parts = data.subarray(i * columns, (i + 1) * columns) as Float64Array;
      const row = i * (rows + columns);
      factors[row + i] = 1;
      for (const [j, part] of parts.entries()) factors[row + rows + j] = -part;
      return Math.max(0, square - innerProduct(parts, parts));
    });
    const combined = createMatrix(rows, rows + columns, factors);
    await combineInto(vectors, combined, { of: [...vectors, ...basis], products });
    if (left.every((square, i) => square >= LEFT ** 2 * at(squares, i, "square"))) return;
    squares = left;
  }
}

/** Fraction of a vector's length that must remain for Cholesky factors to be precise. */
const WELL_LEFT = 1e-3;

/** Fraction of a vector's length below which its remainder counts as rounding error. */
const ROUNDING = 1e-10;

/**
 * Makes vectors orthonormal, and orthogonal to a basis, in place, by Cholesky factors of their scalar
 * products, twice; one by one if they nearly depend on one another.
 * @returns the number of vectors before the first one that depends on those before it; further ones are of no
 *   use
 */
export async function orthonormalizeInPlace(
  vectors: readonly Float64Array[],
  { basis, products = plainProducts }: OrthogonalizeOptions,
): Promise<number> {
  const whole = vectors.map(norm);
  const count = vectors.length;
  await orthogonalizeAllInPlace(vectors, { basis, products });
  for (let pass = 0; pass < 2; pass++) {
    const inverse = await invertCholesky(await partsOf(vectors, vectors, products), plainProducts);
    const isWell = whole.every((length, i) => {
      const left = 1 / at(inverse.data, i * (count + 1), "pivot");
      return Number.isFinite(left) && (pass > 0 || left > WELL_LEFT * length);
    });
    if (!isWell) return orthonormalizeOneByOne(vectors, basis, whole);
    await combineInto(vectors, inverse, { of: vectors, products });
  }
  return count;
}

function orthonormalizeOneByOne(
  vectors: readonly Float64Array[],
  basis: readonly Float64Array[],
  whole: readonly number[],
): number {
  for (const [i, vector] of vectors.entries()) {
    const { left } = orthogonalizeInPlace(vector, [...basis, ...vectors.slice(0, i)]);
    if (left <= ROUNDING * at(whole, i, "length")) return i;
    scaleInPlace(vector, 1 / left);
  }
  return vectors.length;
}

/** Computes the scalar products of vectors with others, `[vectors, others]`, summed up piece by piece. */
async function partsOf(
  vectors: readonly Float64Array[],
  others: readonly Float64Array[],
  products: MatrixProducts,
): Promise<Matrix> {
  const parts = new Float64Array(vectors.length * others.length);
  const [left, right] = [pieceReader(vectors), pieceReader(others)];
  for (let begin = 0; begin < (vectors[0]?.length ?? 0); begin += WIDE_PIECE) {
    const { data } = await products.multiply(left(begin), right(begin), { transposeRight: true });
    addMultipleInPlace(parts, 1, data as Float64Array);
  }
  return createMatrix(vectors.length, others.length, parts);
}

/** Overwrites vectors with combinations of vectors by the rows of a matrix, piece by piece. */
async function combineInto(
  vectors: readonly Float64Array[],
  factors: Matrix,
  { of, products }: { readonly of: readonly Float64Array[]; readonly products: MatrixProducts },
): Promise<void> {
  const read = pieceReader(of);
  const memory = new Float64Array(factors.rows * WIDE_PIECE);
  for (let begin = 0; begin < (of[0]?.length ?? 0); begin += WIDE_PIECE) {
    const piece = read(begin);
    const out = memory.subarray(0, factors.rows * piece.columns);
    const { columns, data } = await products.multiply(factors, piece, { out });
    for (const [row, vector] of vectors.entries()) {
      vector.set(data.subarray(row * columns, (row + 1) * columns), begin);
    }
  }
}

/** Elements of a piece of vectors that a product of matrices takes, for which a call costs little. */
const WIDE_PIECE = 16_384;

/**
 * Returns a function that copies the piece of vectors that begins at an element into the rows of a matrix,
 * whose memory the next piece takes.
 */
function pieceReader(vectors: readonly Float64Array[]): (begin: number) => Matrix {
  const length = vectors[0]?.length ?? 0;
  const scratch = new Float64Array(vectors.length * Math.min(WIDE_PIECE, length));
  return (begin) => {
    const size = Math.min(WIDE_PIECE, length - begin);
    for (const [i, vector] of vectors.entries()) scratch.set(vector.subarray(begin, begin + size), i * size);
    return createMatrix(vectors.length, size, scratch.subarray(0, vectors.length * size));
  };
}

/**
 * Number of vectors that are read at once: that takes fewer passes over the other vector, and the sums do not
 * wait for one another.
 */
const AT_ONCE = 4;

/** Elements `begin` to `end` of vectors, and the sum of squares of elements before them. */
interface Piece {
  readonly begin: number;
  readonly end: number;
  readonly square: number;
}

/**
 * Calls a function for each piece of a vector, so that the piece stays in the cache while others are read,
 * and for the vectors of a basis in fours.
 * @param visit - returns the sum of squares to the end of the piece; its value for the last four is taken
 * @returns the length of the vector that the sum gives
 */
function visitPieces(
  x: Float64Array,
  basis: readonly Float64Array[],
  visit: (four: readonly Float64Array[], first: number, piece: Piece) => number,
): number {
  let square = 0;
  for (let begin = 0; begin < x.length; begin += PIECE) {
    const piece = { begin, end: Math.min(begin + PIECE, x.length), square };
    for (let first = 0; first < Math.max(1, basis.length); first += AT_ONCE) {
      square = visit(basis.slice(first, first + AT_ONCE), first, piece);
    }
  }
  return Math.sqrt(square);
}

/** Computes the scalar products of a vector with others, and its length. */
export function partsAlong(
  x: Float64Array,
  basis: readonly Float64Array[],
): { readonly parts: Float64Array; readonly length: number } {
  const sums = new Float64Array(Math.ceil(basis.length / AT_ONCE) * AT_ONCE);
  const length = visitPieces(x, basis, (four, first, piece) =>
    addPartsInPiece(x, four, sums.subarray(first, first + AT_ONCE), piece),
  );
  return { parts: sums.subarray(0, basis.length), length };
}

/** Adds scalar products of a piece to sums; returns the sum of squares of `x` to the end of the piece. */
function addPartsInPiece(
  x: Float64Array,
  [a = x, b = x, c = x, d = x]: readonly Float64Array[],
  sums: Float64Array,
  { begin, end, square: before }: Piece,
): number {
  let [inA = 0, inB = 0, inC = 0, inD = 0] = sums;
  let square = before;
  for (let i = begin; i < end; i++) {
    const value = x[i] as number;
    square += value * value;
    inA += value * (a[i] as number);
    inB += value * (b[i] as number);
    inC += value * (c[i] as number);
    inD += value * (d[i] as number);
  }
  sums.set([inA, inB, inC, inD].slice(0, sums.length));
  return square;
}

/** Takes multiples of vectors out of a vector in place; returns the length of the remainder. */
function takeOutInPlace(x: Float64Array, basis: readonly Float64Array[], parts: Float64Array): number {
  return visitPieces(x, basis, (four, first, piece) =>
    takeOutInPiece(x, four, parts.subarray(first, first + AT_ONCE), piece),
  );
}

/** Takes multiples out of a piece; returns the sum of squares of the remainder to the end of the piece. */
function takeOutInPiece(
  x: Float64Array,
  [a = x, b = x, c = x, d = x]: readonly Float64Array[],
  parts: Float64Array,
  { begin, end, square: before }: Piece,
): number {
  const [ofA = 0, ofB = 0, ofC = 0, ofD = 0] = parts;
  let square = before;
  for (let i = begin; i < end; i++) {
    const onePair = ofA * (a[i] as number) + ofB * (b[i] as number);
    const otherPair = ofC * (c[i] as number) + ofD * (d[i] as number);
    const left = (x[i] as number) - (onePair + otherPair);
    x[i] = left;
    square += left * left;
  }
  return square;
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

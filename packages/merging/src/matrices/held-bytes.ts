import type { TensorInfo } from "@isthmus/core";

/** Largest smaller extent of a matrix for which arithmetic is in f64, because it costs little. */
export const SMALL = 512;

/** Sizes of a matrix of several networks, from which the peak memory of methods is computed. */
export interface HeldMatrix {
  /** Number of rows of the matrix. */
  readonly rows: number;
  /** Number of columns of the matrix. */
  readonly columns: number;
  /** Number of networks, without the base. */
  readonly networks: number;
  /** Smaller extent of the matrix. */
  readonly short: number;
  /** Bytes of one element in arithmetic. */
  readonly width: number;
  /** Bytes of one matrix. */
  readonly whole: number;
}

/**
 * Describes the sizes of a tensor, to compute the memory of a method; undefined if the tensor is not a
 * matrix.
 */
export function describeHeld({ shape }: Pick<TensorInfo, "shape">, networks: number): HeldMatrix | undefined {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) return undefined;
  return heldMatrix(rows, columns, networks);
}

/** Describes the sizes of a matrix of several networks. */
export function heldMatrix(rows: number, columns: number, networks: number): HeldMatrix {
  const short = Math.min(rows, columns);
  const width = short <= SMALL ? 8 : 4;
  return { rows, columns, networks, short, width, whole: rows * columns * width };
}

/** Computes the bytes of `count` left and right directions of a matrix. */
export function directionBytes({ rows, columns, width }: HeldMatrix, count: number): number {
  return width * count * (rows + columns);
}

/** Computes the bytes that `polarFactor` takes in addition to the matrix, including the factor. */
export function polarBytes({ rows, columns, short, width, whole }: HeldMatrix): number {
  const square = short * short;
  const isLong = width === 4 && Math.max(rows, columns) >= 2 * short;
  // Of a long matrix: Gram matrix and inverse in f64, the triangle, and seven squares of its polar factor.
  if (isLong) return whole + (16 + 4 + 7 * 4) * square;
  const transposed = rows < columns ? 2 * whole : 0;
  return 4 * whole + 3 * width * square + transposed;
}

/** Number of lines of a matrix over which the Gram matrix is summed at a time. */
const LINES = 1024;

/**
 * Computes the bytes that `count` singular vectors from the Gram matrix take in addition to the matrix,
 * including the vectors.
 */
export function singularBytes(matrix: HeldMatrix, count: number): number {
  const { rows, columns, short } = matrix;
  const lines = 2 * 8 * Math.min(LINES, Math.max(rows, columns)) * short;
  // In f64: the matrix while it is reduced, reflections, halves, and four times the unfinished eigenvectors.
  return directionBytes(matrix, count) + lines + 8 * (2.5 * short * short + 4 * count * short);
}

/**
 * Computes the bytes for joining as many directions as the smaller extent, including the directions and the
 * result.
 */
export function joinBytes(matrix: HeldMatrix): number {
  const { rows, columns, short, width, whole, networks } = matrix;
  const all = directionBytes(matrix, short);
  const longer = polarBytes(heldMatrix(Math.max(rows, columns), short, networks));
  const products = 2 * width * rows * short + whole;
  // Measured: the last difference and a matrix of f64 are not freed yet.
  const leftOver = whole + 8 * short * short;
  return 2 * all + leftOver + Math.max(longer, products);
}

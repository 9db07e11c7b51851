import type { TensorInfo } from "@isthmus/core";

/** Smaller extent of a matrix up to which arithmetic is in f64, where it costs little. */
export const SMALL = 512;

/** A matrix of several networks, by the bytes that steps of methods hold of it at their worst moment. */
export interface HeldMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly networks: number;
  /** The smaller extent. */
  readonly short: number;
  /** Bytes of one element in arithmetic. */
  readonly width: number;
  /** Bytes of one matrix. */
  readonly whole: number;
}

/** Describes a tensor to rules that say how much memory a method needs; undefined if it is no matrix. */
export function describeHeld({ shape }: Pick<TensorInfo, "shape">, networks: number): HeldMatrix | undefined {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) return undefined;
  return heldMatrix(rows, columns, networks);
}

/** Describes a matrix of several networks. */
export function heldMatrix(rows: number, columns: number, networks: number): HeldMatrix {
  const short = Math.min(rows, columns);
  const width = short <= SMALL ? 8 : 4;
  return { rows, columns, networks, short, width, whole: rows * columns * width };
}

/** Computes the bytes of `count` left and right directions of a matrix. */
export function directionBytes({ rows, columns, width }: HeldMatrix, count: number): number {
  return width * count * (rows + columns);
}

/** Computes the bytes that `polarFactor` takes beside the matrix, with the factor. */
export function polarBytes({ rows, columns, short, width, whole }: HeldMatrix): number {
  const square = short * short;
  const isLong = width === 4 && Math.max(rows, columns) >= 2 * short;
  // Of a long matrix: Gram matrix and inverse in f64, the triangle, and seven squares of its polar factor.
  if (isLong) return whole + (16 + 4 + 7 * 4) * square;
  const transposed = rows < columns ? 2 * whole : 0;
  return 4 * whole + 3 * width * square + transposed;
}

/** Lines of a matrix that the Gram matrix is summed over at a time. */
const LINES = 1024;

/**
 * Computes the bytes that `count` singular vectors by the Gram matrix take beside the matrix, with the
 * vectors.
 */
export function singularBytes(matrix: HeldMatrix, count: number): number {
  const { rows, columns, short } = matrix;
  const lines = 2 * 8 * Math.min(LINES, Math.max(rows, columns)) * short;
  // In f64: the matrix as it is reduced, reflections, halves, and four times the eigenvectors in the making.
  return directionBytes(matrix, count) + lines + 8 * (2.5 * short * short + 4 * count * short);
}

/**
 * Computes the bytes that joining directions, as many as the shorter side has, takes with the directions and
 * the result.
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

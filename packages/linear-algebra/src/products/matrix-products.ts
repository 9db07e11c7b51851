import { OutOfRangeError, UsageError } from "@isthmus/core";
import type { Matrix, MatrixData } from "../matrix.ts";

/** Factors of a product that are transposed first. */
export interface MatrixProductOptions {
  /** Whether the left factor is transposed. @defaultValue false */
  readonly transposeLeft?: boolean;
  /** Whether the right factor is transposed. @defaultValue false */
  readonly transposeRight?: boolean;
  /**
   * Memory for the product, of its size and element type, which multipliers may leave unused.
   * @defaultValue new memory
   */
  readonly out?: MatrixData;
}

/** A port that multiplies matrices; every factorization of this package is made of such products. */
export interface MatrixProducts {
  /** Name for messages and results. */
  readonly name: string;
  /**
   * Whether large products of f32 are made by a device that has no f64, so that a step in f64 would take
   * longer than many in f32. @defaultValue false
   */
  readonly lacksDoubles?: boolean;
  /**
   * Multiplies two matrices of one element type, each transposed first if asked for.
   * @returns `[m, n]` of `[m, k]` and `[k, n]`, of the same element type
   * @throws OutOfRangeError if the inner extents differ
   * @throws UsageError if the element types differ
   */
  multiply(left: Matrix, right: Matrix, options?: MatrixProductOptions): Promise<Matrix>;
  /** Frees memory and threads; multiplications afterwards fail. */
  release(): Promise<void>;
}

/** Extents of a product: `[m, k]` times `[k, n]`. */
export interface ProductExtents {
  /** Rows of the left matrix and of the product. */
  readonly m: number;
  /** Columns of the right matrix and of the product. */
  readonly n: number;
  /** Columns of the left matrix and rows of the right one, over which is summed. */
  readonly k: number;
}

/**
 * Returns the extents of a product.
 * @throws OutOfRangeError if the inner extents differ
 * @throws UsageError if the element types differ
 */
export function productExtents(
  left: Matrix,
  right: Matrix,
  { transposeLeft = false, transposeRight = false }: MatrixProductOptions,
): ProductExtents {
  const [m, inner] = transposeLeft ? [left.columns, left.rows] : [left.rows, left.columns];
  const [k, n] = transposeRight ? [right.columns, right.rows] : [right.rows, right.columns];
  if (inner !== k) {
    throw new OutOfRangeError(
      `Cannot multiply a ${m} x ${inner} and a ${k} x ${n} matrix as the inner extents must be equal: they are ${inner} and ${k}`,
    );
  }
  if (left.data.constructor !== right.data.constructor) {
    throw new UsageError(
      `Cannot multiply matrices of two element types: got a ${left.data.constructor.name} and a ${right.data.constructor.name}`,
    );
  }
  return { m, n, k };
}

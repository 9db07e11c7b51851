import { at } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSpace } from "./mixing-symmetries.ts";
import { gatherRowsInto, type Occurrence, scatterRowsInto } from "./occurrences.ts";

/**
 * A symmetric matrix that multiplies few directions by a factor each, and leaves all that is orthogonal to
 * them.
 */
export interface SymmetricFactor {
  /** Orthonormal directions, `[count, size]` row-major. */
  readonly directions: Float64Array;
  /** Factor of each direction, `[count]`. */
  readonly stretches: Float64Array;
}

/** A matrix that mixes the units of a space: its elements, or a product of symmetric factors. */
export type MixingMatrix = Float64Array | readonly SymmetricFactor[];

/** A matrix for each space, `[size, size]` row-major: an element of the group of mixtures. */
export interface Mixture<M extends MixingMatrix = Float64Array> {
  /**
   * Matrices by space: unit `i` of the result is the sum over `j` of `matrices[space][i * size + j]` times
   * unit `j`.
   */
  readonly matrices: readonly M[];
  /** Inverse of each matrix, transposed: the matrix itself if it is orthogonal. */
  readonly inverses: readonly M[];
}

/** Mixes the units that lie in a tensor. */
export function mixInPlace(
  values: Float32Array | Float64Array,
  occurrences: readonly Occurrence[],
  { matrices, inverses }: Mixture<MixingMatrix>,
): void {
  const isDouble = values instanceof Float64Array;
  for (const occurrence of occurrences) {
    const { space, isInverse, bases, offsets } = occurrence;
    const count = bases.length * offsets.length;
    const rows = createMatrix(
      bases.length,
      offsets.length,
      gatherRowsInto(values, occurrence, isDouble ? new Float64Array(count) : new Float32Array(count)),
    );
    const mixed = mixRows(at<MixingMatrix>(isInverse ? inverses : matrices, space, "matrix"), rows);
    scatterRowsInto(mixed.data, occurrence, values);
  }
}

/** Multiplies rows by a matrix from the left. */
function mixRows(matrix: MixingMatrix, rows: Matrix): Matrix {
  const size = rows.rows;
  const like = (data: Float64Array) => (rows.data instanceof Float64Array ? data : Float32Array.from(data));
  if (matrix instanceof Float64Array) return multiply(createMatrix(size, size, like(matrix)), rows);
  // The last factor of a product acts first.
  return matrix.toReversed().reduce((mixed, { directions, stretches }) => {
    const count = stretches.length;
    if (count === 0) return mixed;
    const left = createMatrix(count, size, like(directions));
    const along = multiply(left, mixed);
    stretches.forEach((stretch, k) => {
      const row = along.data.subarray(k * along.columns, (k + 1) * along.columns);
      for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) * (stretch - 1);
    });
    const added = multiply(left, along, { transposeLeft: true });
    for (let i = 0; i < added.data.length; i++) {
      added.data[i] = (added.data[i] as number) + (mixed.data[i] as number);
    }
    return added;
  }, rows);
}

/** Creates the mixture that changes nothing. */
export function identityMixture(spaces: readonly MixingSpace[]): Mixture {
  const matrices = spaces.map(({ size }) => {
    const matrix = new Float64Array(size * size);
    for (let i = 0; i < size; i++) matrix[i * size + i] = 1;
    return matrix;
  });
  return { matrices, inverses: matrices };
}

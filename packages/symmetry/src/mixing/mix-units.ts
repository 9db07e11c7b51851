import { at } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import { stretchAlongInPlace } from "../kernels/stretch-direction.ts";
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
  for (const occurrence of occurrences) {
    const { space, isInverse } = occurrence;
    const matrix = at<MixingMatrix>(isInverse ? inverses : matrices, space, "matrix");
    if (matrix instanceof Float64Array) mixDensely(values, occurrence, matrix);
    // The last factor of a product acts first.
    else for (const factor of matrix.toReversed()) stretchInPlace(values, occurrence, factor);
  }
}

/** Multiplies the rows of an occurrence by a matrix from the left. */
function mixDensely(values: Float32Array | Float64Array, occurrence: Occurrence, matrix: Float64Array): void {
  const isDouble = values instanceof Float64Array;
  const [size, others] = [occurrence.bases.length, occurrence.offsets.length];
  const rows = isDouble ? new Float64Array(size * others) : new Float32Array(size * others);
  const mixed = multiply(
    createMatrix(size, size, isDouble ? matrix : Float32Array.from(matrix)),
    createMatrix(size, others, gatherRowsInto(values, occurrence, rows)),
  );
  scatterRowsInto(mixed.data, occurrence, values);
}

/** Multiplies the rows of an occurrence by a symmetric factor, one direction after the other. */
function stretchInPlace(
  values: Float32Array | Float64Array,
  occurrence: Occurrence,
  { directions, stretches }: SymmetricFactor,
): void {
  const size = occurrence.bases.length;
  stretches.forEach((stretch, k) => {
    stretchAlongInPlace(values, occurrence, directions.subarray(k * size, (k + 1) * size), stretch);
  });
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

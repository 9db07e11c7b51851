import { at } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";
import type { MixingSpace } from "./mixing-symmetries.ts";
import { gatherRowsInto, type Occurrence, scatterRowsInto } from "./occurrences.ts";

/** A matrix for each space, `[size, size]` row-major: an element of the group of mixtures. */
export interface Mixture {
  /**
   * Matrices by space: unit `i` of the result is the sum over `j` of `matrices[space][i * size + j]` times
   * unit `j`.
   */
  readonly matrices: readonly Float64Array[];
  /** Inverse of each matrix, transposed: the matrix itself if it is orthogonal. */
  readonly inverses: readonly Float64Array[];
}

/** Mixes the units that lie in a tensor. */
export function mixInPlace(
  values: Float32Array | Float64Array,
  occurrences: readonly Occurrence[],
  { matrices, inverses }: Mixture,
): void {
  const isDouble = values instanceof Float64Array;
  for (const occurrence of occurrences) {
    const { space, isInverse, bases, offsets } = occurrence;
    const factor = at(isInverse ? inverses : matrices, space, "matrix");
    const size = bases.length;
    const count = size * offsets.length;
    const rows = gatherRowsInto(
      values,
      occurrence,
      isDouble ? new Float64Array(count) : new Float32Array(count),
    );
    const left = createMatrix(size, size, isDouble ? factor : Float32Array.from(factor));
    const mixed = multiply(left, createMatrix(size, offsets.length, rows));
    scatterRowsInto(mixed.data, occurrence, values);
  }
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

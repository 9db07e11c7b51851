import { at, entry } from "@isthmus/core";
import { type Matrix, multiply } from "@isthmus/linear-algebra";
import type { MixingGroup, MixingSpace, Occurrence } from "@isthmus/symmetry";
import { complexOf, isComplex, matrixOf } from "./complex-numbers.ts";
import { centreBoth } from "./nearest-matrix.ts";
import { rowsOf } from "./weight-grams.ts";

/** Gradients of a loss with respect to the weights that a mixed network was averaged into. */
export interface MixedGradients {
  /** By name of the weight. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** The mixed network. */
  readonly network: ReadonlyMap<string, Float32Array>;
  /** How much a change of the mixed network changes the weights. */
  readonly factor: number;
}

/**
 * Computes the gradient of a loss with respect to the generator of each space, from gradients with respect to
 * plain weights: of `exp(E) s` at `E = 0`.
 *
 * A space acts on the rows `X` of each of its occurrences, so with the gradient `G` of these rows the
 * gradient of the generator is the sum of `G X^T`; of rows that the inverse mixes, `-(G X^T)^T`. No
 * exponential and no inverse is differentiated.
 *
 * @returns `[size, size]` for each space, made an element of the group's algebra
 */
export function generatorGradients(
  spaces: readonly MixingSpace[],
  occurrences: ReadonlyMap<string, readonly Occurrence[]>,
  { gradients, network, factor }: MixedGradients,
): Float64Array[] {
  const sums = spaces.map(({ size }) => new Float64Array(size * size));
  for (const [name, ofWeight] of occurrences) {
    const gradient = gradients.get(name);
    if (gradient === undefined) continue;
    const weights = entry(network, name, "weight");
    for (const occurrence of ofWeight) {
      const [left, right] = [rowsOf(gradient, occurrence), rowsOf(weights, occurrence)];
      const product = multiply(left, right, { transposeRight: true });
      addGenerator(product, occurrence.isInverse, factor, at(sums, occurrence.space, "space"));
    }
  }
  return sums.map((sum, index) => {
    const { size, group } = at(spaces, index, "space");
    return toAlgebra(sum, size, group);
  });
}

/** Adds `factor` times a product to a sum, or minus its transpose. */
function addGenerator(
  { rows: size, data }: Matrix,
  isInverse: boolean,
  factor: number,
  sum: Float64Array,
): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const value = isInverse ? -(data[j * size + i] as number) : (data[i * size + j] as number);
      sum[i * size + j] = (sum[i * size + j] as number) + factor * value;
    }
  }
}

/**
 * Projects a matrix on the algebra of a group: skew for orthogonal groups, with rows and columns that sum to
 * 0 where the vector of ones is kept; multiples of 1 and of a quarter turn for complex numbers, of the
 * quarter turn alone if their length is 1; any matrix for the invertible ones.
 */
export function toAlgebra(matrix: Float64Array, size: number, group: MixingGroup): Float64Array {
  if (group === "invertible") return matrix;
  if (isComplex(group)) {
    const { re, im } = complexOf(matrix);
    return matrixOf({ re: group === "complex" ? re : 0, im });
  }
  const skew = matrix.map((value, index) => {
    const [i, j] = [Math.floor(index / size), index % size];
    return (value - (matrix[j * size + i] as number)) / 2;
  });
  return group === "orthogonal" ? skew : centreBoth(skew, size);
}

import { at } from "@isthmus/core";
import type { MixingGroup, MixingSpace } from "@isthmus/symmetry";
import { complexOf, isComplex, matrixOf } from "../matrices/complex-numbers.ts";
import { centreBoth } from "../matrices/nearest-matrix.ts";
import type { FactorProduct, MatrixProduct } from "./row-products.ts";

/**
 * Computes the gradient of a loss with respect to the generator of each space, from gradients with respect to
 * plain weights: of `exp(E) s` at `E = 0`.
 *
 * A space acts on the rows `X` of each of its occurrences, so with the gradient `G` of these rows the
 * gradient of the generator is the sum of `G X^T`; of rows that the inverse mixes, `-(G X^T)^T`. No
 * exponential and no inverse is differentiated.
 *
 * @param products - `G X^T` of each occurrence, or of several of one space together
 * @param factor - how much a change of the mixed network changes the weights that gradients are of
 * @returns `[size, size]` for each space, made an element of the group's algebra
 */
export function generatorGradients(
  spaces: readonly MixingSpace[],
  products: readonly MatrixProduct[],
  factor: number,
): Float64Array[] {
  const sums = spaces.map(({ size }) => new Float64Array(size * size));
  for (const product of products) {
    const { size } = at(spaces, product.space, "space");
    addGenerator(product, size, factor, at(sums, product.space, "space"));
  }
  return sums.map((sum, index) => {
    const { size, group } = at(spaces, index, "space");
    return toAlgebra(sum, size, group);
  });
}

/**
 * Computes the gradient of a loss with respect to the logarithm of each factor, from gradients with respect
 * to plain weights: the sum of `gradient * weight` over the elements that the factor multiplies, less the sum
 * over the elements that it divides.
 *
 * @param share - how much a change of the multiplied network changes the weights that gradients are of
 * @returns `[count]`
 */
export function factorGradients(
  count: number,
  products: readonly FactorProduct[],
  share: number,
): Float64Array {
  const sums = new Float64Array(count);
  for (const { variables, product } of products) {
    variables.forEach((variable, row) => {
      if (variable === 0) return;
      const index = Math.abs(variable) - 1;
      sums[index] = at(sums, index, "variable") + Math.sign(variable) * share * at(product, row, "row");
    });
  }
  return sums;
}

/** Adds `factor` times a product to a sum, or minus its transpose. */
function addGenerator(
  { product, isInverse }: MatrixProduct,
  size: number,
  factor: number,
  sum: Float64Array,
): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const value = isInverse ? -(product[j * size + i] as number) : (product[i * size + j] as number);
      sum[i * size + j] = (sum[i * size + j] as number) + factor * value;
    }
  }
}

/**
 * Projects a matrix on the algebra of a group: skew for orthogonal groups, with rows and columns that sum to
 * 0 if the vector of ones is kept; multiples of 1 and of a quarter turn for complex numbers, of the quarter
 * turn alone if their length is 1; any matrix for the invertible ones.
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

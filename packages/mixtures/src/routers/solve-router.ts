import { at, OutOfRangeError, sumOf } from "@isthmus/core";
import {
  createMatrix,
  type Matrix,
  type MatrixProducts,
  solvePositiveDefinite,
  transposeMatrix,
} from "@isthmus/linear-algebra";
import type { SecondMoments } from "@isthmus/statistics";

/**
 * Computes the weight of a router by ridge regression: from hidden states `x` of the texts of each expert to
 * the one-hot vector of that expert.
 *
 * With `M_i` and `m_i` the mean of `x x^T` and of `x` over the texts of expert i, row i of the weight is
 * `(mean of all M + ridge * d * I)^-1 m_i / experts`, where `d` is the mean of the diagonal of the matrix.
 * All experts count alike, however long their texts are, and repeated texts change nothing.
 *
 * Source: Fanì and Ersoy, Training-free dynamic upcycling of expert language models (DUME), 2026, section 3.
 * We differ: they sum over all tokens, so that an expert with more text is chosen more often; add 0.01 to the
 * diagonal of that sum, whose effect depends on the number of tokens and on the scale of hidden states; have
 * a bias, which no published layout of mixtures takes; and divide each row by its norm, which changes the
 * order of experts.
 * @param moments - moments of the hidden states for the texts of each expert, in order
 * @param ridge - share of the mean of the diagonal that is added to it
 * @returns weight `[experts, width]`
 * @throws OutOfRangeError if the matrix is singular, which a larger ridge mends
 */
export async function solveRouter(
  moments: readonly SecondMoments[],
  ridge: number,
  products: MatrixProducts,
): Promise<Matrix> {
  const experts = moments.length;
  const right = new Float64Array(experts * at(moments, 0, "moments").mean.length);
  for (const [i, { mean }] of moments.entries())
    right.set(
      mean.map((value) => value / experts),
      i * mean.length,
    );
  const solved = await solvePositiveDefinite(
    ridgeMatrix(moments, ridge),
    transposeMatrix(createMatrix(experts, right.length / experts, right)),
    products,
  );
  if (solved === undefined) {
    throw new OutOfRangeError(
      `Cannot fit a router as the products of hidden states must be positive definite with the ridge: they are not with ${ridge}; give a larger ridge, or more text`,
    );
  }
  return transposeMatrix(solved);
}

/**
 * Computes the mean products of hidden states with all experts alike, and with the ridge on the diagonal.
 * @returns matrix `[width, width]`, symmetric
 */
export function ridgeMatrix(moments: readonly SecondMoments[], ridge: number): Matrix {
  const width = at(moments, 0, "moments").mean.length;
  const mean = new Float64Array(width * width);
  for (const { products } of moments) {
    for (const [i, product] of products.entries()) mean[i] = at(mean, i) + product / moments.length;
  }
  const diagonal = Array.from({ length: width }, (_, i) => at(mean, i * (width + 1)));
  const added = (ridge * sumOf(diagonal)) / width;
  for (const [i, own] of diagonal.entries()) mean[i * (width + 1)] = own + added;
  return createMatrix(width, width, mean);
}

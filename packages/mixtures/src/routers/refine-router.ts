import { at } from "@isthmus/core";
import { softmaxInto } from "@isthmus/graph";
import {
  createMatrix,
  type Matrix,
  type MatrixProducts,
  solvePositiveDefinite,
} from "@isthmus/linear-algebra";

/** Hidden states on which a router is refined. */
export interface RefinedRows {
  /** Hidden states of the text of each expert, `[tokens, width]`, f32. */
  readonly states: readonly Matrix[];
  /** Mean products of hidden states with the ridge, `[width, width]`, see `ridgeMatrix`. */
  readonly gram: Matrix;
}

/**
 * Lowers the cross-entropy of the expert under the softmax of a router's scores, all experts alike, by steps
 * of Newton's method with a fixed matrix in place of the Hessian: half of the mean products of hidden states,
 * which is never smaller than the Hessian (Boehning, Multinomial logistic regression algorithm, 1992), with
 * Nesterov's momentum. The matrix is that of the ridge regression, so that nothing new has to be measured.
 * @param start - weight to start from, `[experts, width]`, f64, scaled for a softmax
 * @returns weight `[experts, width]`, f64
 */
export async function refineRouter(
  start: Matrix,
  { states, gram }: RefinedRows,
  { steps, products }: { readonly steps: number; readonly products: MatrixProducts },
): Promise<Matrix> {
  const { rows: experts, columns: width } = start;
  const unit = new Float64Array(width * width);
  for (let i = 0; i < width; i++) unit[i * (width + 1)] = 1;
  const inverse = await solvePositiveDefinite(gram, createMatrix(width, width, unit), products);
  if (inverse === undefined) return start;
  let weight = Float64Array.from(start.data);
  let ahead = weight;
  let momentum = 1;
  for (let step = 0; step < steps; step++) {
    const slope = createMatrix(experts, width, await slopeAt(ahead, { states, experts }, products));
    const { data: turned } = await products.multiply(slope, inverse);
    const next = ahead.map((value, i) => value - 2 * at(turned, i));
    const following = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const share = (momentum - 1) / following;
    const former = weight;
    ahead = next.map((value, i) => value + share * (value - at(former, i)));
    weight = next;
    momentum = following;
  }
  return createMatrix(experts, width, weight);
}

/** Computes the gradient of the cross-entropy by the weight, `[experts, width]`. */
async function slopeAt(
  weight: Float64Array,
  { states, experts }: { readonly states: readonly Matrix[]; readonly experts: number },
  products: MatrixProducts,
): Promise<Float64Array> {
  const slope = new Float64Array(weight.length);
  const router = createMatrix(experts, weight.length / experts, Float32Array.from(weight));
  for (const [label, rows] of states.entries()) {
    const { data: scores } = await products.multiply(rows, router, { transposeRight: true });
    const errors = softmaxInto(Float32Array.from(scores), experts, new Float64Array(scores.length));
    for (let row = label; row < errors.length; row += experts) errors[row] = at(errors, row) - 1;
    const weighed = Float32Array.from(errors, (error) => error / (rows.rows * states.length));
    const part = await products.multiply(createMatrix(rows.rows, experts, weighed), rows, {
      transposeLeft: true,
    });
    for (const [i, value] of part.data.entries()) slope[i] = at(slope, i) + value;
  }
  return slope;
}

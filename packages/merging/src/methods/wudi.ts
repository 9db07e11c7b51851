import { type Matrix, type MatrixProducts, zerosLike } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { adamStep } from "../matrices/kernels/adam.ts";
import { addScaled } from "../matrices/kernels/task-vectors.ts";
import { trace } from "../matrices/kernels/traces.ts";
import { readTaskMatrices, sumMatrices } from "../matrices/task-matrices.ts";

const PARAMETERS = {
  iterations: { description: "Gradient steps for each matrix.", of: "merge", default: 300, least: 0 },
  learning_rate: { description: "Step size of Adam.", of: "merge", default: 1e-5, least: 0 },
} as const;

/**
 * Method that starts from the sum `D` of the differences and minimizes its deviation from each difference
 * `D_i` on the inputs of that network, which the rows of `D_i` span: Adam on
 * `sum over i of |(D - D_i) D_i^T|^2 / |D_i|^2`.
 *
 * The gradient is `2 (D G - R)` with `G = sum of D_i^T D_i / |D_i|^2` and
 * `R = sum of D_i D_i^T D_i / |D_i|^2`, which are computed once, so that a step takes one product for any
 * number of networks.
 */
export const wudi: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "wudi",
  description: "Sums the differences to the base and removes what disturbs each network, by gradient steps.",
  source:
    "Cheng et al., Whoever started the interference should end it: guiding data-free model merging via task vectors, 2025, equation 7",
  parameters: PARAMETERS,
  heldBytes: ({ columns, networks, width, whole }) =>
    // Differences, the target, the merged one with two moments, a gradient and one that is no longer needed.
    (networks + 6) * whole + 3 * width * columns * columns,
  async combine(tensor) {
    const { products, parameters } = tensor;
    const differences = await readTaskMatrices(tensor);
    const { gram, target } = await gather(differences, products);
    const merged = sumMatrices(differences);
    const moments = { first: merged.data.slice().fill(0), second: merged.data.slice().fill(0) };
    for (let step = 1; step <= parameters.iterations; step++) {
      const gradient = await products.multiply(merged, gram);
      addScaled(gradient.data, target.data, -1);
      adamStep(merged.data, gradient.data, moments, { step, rate: parameters.learning_rate });
    }
    return merged;
  },
});

/** Computes the sums `G` and `R` of the gradient, each times 2; a difference of zero contributes nothing. */
async function gather(differences: readonly [Matrix, ...Matrix[]], products: MatrixProducts) {
  const [first] = differences;
  const gram = zerosLike(first, first.columns, first.columns);
  const target = zerosLike(first, first.rows, first.columns);
  for (const difference of differences) {
    const square = trace(difference.data, difference.data);
    if (square === 0) continue;
    const inputs = await products.multiply(difference, difference, { transposeLeft: true });
    addScaled(gram.data, inputs.data, 2 / square);
    addScaled(target.data, (await products.multiply(difference, inputs)).data, 2 / square);
  }
  return { gram, target };
}

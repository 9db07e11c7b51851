import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { directionBytes, singularBytes } from "../matrices/held-bytes.ts";
import { addScaled, subtract } from "../matrices/kernels/task-vectors.ts";
import { multiplyBy } from "../matrices/kernels/traces.ts";
import { ITERATIONS, largestParts } from "../matrices/largest-parts.ts";
import { readTaskMatrix, sumTaskMatrices } from "../matrices/task-matrices.ts";

const PARAMETERS = {
  rank_ratio: {
    description: "Share of the directions of each network that are kept, at least one; none of 0.",
    of: "merge",
    default: 0.12,
    least: 0,
    most: 1,
  },
  lambda: { description: "Factor of what is kept of each network.", of: "merge", default: 2 },
  iterations: ITERATIONS as typeof ITERATIONS,
} as const;

/**
 * CART, centred arithmetic with task vectors of reduced rank: the average of the networks, plus the main
 * directions of each network's difference from the average.
 *
 * The base cancels out, but for tensors that are multiplied by another `scale` than 1. With all directions
 * the differences sum to zero, so that the result is the average whatever `lambda`. The same holds for two
 * networks with any number of directions, as each difference is the negative of the other. Both hold to
 * rounding errors of the largest singular value of a difference times `lambda`; if the shorter side of a
 * matrix exceeds 192, or `iterations` is not 0, singular values below 1e-7 of the largest are lost. The
 * defaults are the authors' configuration for 8 tasks; merge-and-rebase, which has the method too, rounds the
 * number of directions up and takes half of them.
 */
export const cart: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "cart",
  description: "Averages, and adds the main directions of each network's difference to the average.",
  source: "Choi et al., Revisiting weight averaging for model merging, 2024, section 4.2",
  parameters: PARAMETERS,
  averages: 2,
  heldBytes(matrix) {
    // The average, the result, a difference, its reduced form, its directions, and one that is not freed yet.
    return 5 * matrix.whole + directionBytes(matrix, matrix.short) + singularBytes(matrix, matrix.short);
  },
  async combine(tensor) {
    const { networks, parameters, products, seed } = tensor;
    const { rank_ratio: ratio, lambda, iterations } = parameters;
    const average = await sumTaskMatrices(tensor);
    multiplyBy(average.data, 1 / networks.length);
    const least = Math.min(average.rows, average.columns);
    const rank = ratio === 0 ? 0 : Math.max(1, Math.trunc(ratio * least));
    const merged = { ...average, data: average.data.slice() };
    for (let i = 0; i < (rank === 0 ? 0 : networks.length); i++) {
      const centred = await readTaskMatrix(tensor, i);
      subtract(centred.data, average.data);
      const { left, core, right } = await largestParts(centred, {
        rank,
        products,
        seed,
        iterations,
        negligible: 0, // Products need no certain directions, so that small singular values add what they are worth.
      });
      if (core.data.length === 0) continue;
      const reduced = await products.multiply(await products.multiply(left, core), right, {
        transposeRight: true,
      });
      addScaled(merged.data, reduced.data, lambda);
    }
    return merged;
  },
});

import { polarFactor } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { polarBytes } from "../matrices/held-bytes.ts";
import { multiplyBy, trace } from "../matrices/kernels/traces.ts";
import { sumTaskMatrices } from "../matrices/task-matrices.ts";

/**
 * Method that gives every direction of the summed differences the same size: all singular values become their
 * mean.
 *
 * No singular vectors are computed: with the polar factor `P = U V^T`, the sum of the singular values is the
 * inner product of `P` and the matrix.
 */
export const isoC: MatrixMergeMethod<Record<never, never>> = defineMatrixMethod({
  name: "iso_c",
  description: "Sums the differences to the base and makes all singular values of the sum equal.",
  source: "Marczak et al., No task left behind: isotropic model merging, 2025, section 4.1",
  parameters: {},
  heldBytes: (matrix) => matrix.whole + Math.max(matrix.whole, polarBytes(matrix)),
  async combine(tensor) {
    const sum = await sumTaskMatrices(tensor);
    const factor = await polarFactor(sum, tensor.products);
    const mean = trace(factor.data, sum.data) / Math.min(sum.rows, sum.columns);
    multiplyBy(factor.data, mean);
    return factor;
  },
});

import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { polarBytes } from "../matrices/held-bytes.ts";
import { isotropicFactor } from "../matrices/isotropic-factor.ts";
import { sumTaskMatrices } from "../matrices/task-matrices.ts";

/**
 * Method that gives every direction of the summed differences the same size: all singular values become their
 * mean.
 */
export const isoC: MatrixMergeMethod<Record<never, never>> = defineMatrixMethod({
  name: "iso_c",
  description: "Sums the differences to the base and makes all singular values of the sum equal.",
  source: "Marczak et al., No task left behind: isotropic model merging, 2025, section 4.1",
  parameters: {},
  heldBytes: (matrix) => matrix.whole + Math.max(matrix.whole, polarBytes(matrix)),
  async combine(tensor) {
    return isotropicFactor(await sumTaskMatrices(tensor), tensor.products);
  },
});

import { gramMatrix } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import {
  addRidge,
  inverseBytes,
  solveByEigenvectors,
  solveSystem,
  sumTaskGrams,
  systemBytes,
} from "../matrices/gram-system.ts";
import { multiplyBy, trace } from "../matrices/kernels/traces.ts";
import { wudi } from "./wudi.ts";

const PARAMETERS = {
  ridge: {
    description: "Number added to the diagonal of the summed Gram matrices, each of which has the trace 1.",
    of: "merge",
    default: 1e-8,
    least: 0,
  },
} as const;

/** Cutoff of eigenvalues if the sum of Gram matrices is singular even with the ridge. */
const CUTOFF = 1e-12;

/**
 * The difference at which the loss of `wudi` is least, which gradient steps only approach: the loss
 * `sum over i of |(D - D_i) D_i^T|^2 / |D_i|^2` is a quadratic function of D, least at
 * `(sum of D_i G_i) (sum of G_i)^-1` with `G_i = D_i^T D_i / |D_i|^2`.
 *
 * It is not what `wudi` gives: its 300 steps of 1e-5 move an element by at most 3e-3 from the sum of the
 * differences. In directions that only one network changed, both have that network's whole change; in
 * shared ones the sum adds up and the least loss averages.
 *
 * Differs from the reference, which solves in f32, where a ridge of 1e-8 is below rounding: we solve in f64.
 * A weight of a network has no effect here beyond the size of its own difference, and is left out.
 */
export const wudiClosedForm: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "wudi_closed_form",
  description: "Finds the difference to the base that disturbs the networks least, by one equation.",
  source: `merge-and-rebase, merge/methods/functional/wudi.py, 2026; ${wudi.source}`,
  parameters: PARAMETERS,
  heldBytes: (matrix) => Math.max(systemBytes(matrix), inverseBytes(matrix)),
  async combine(tensor) {
    const { products, parameters } = tensor;
    const system = await sumTaskGrams(tensor, async (difference) => {
      const square = trace(difference.data, difference.data);
      const gram = await gramMatrix(difference, products);
      if (square > 0) multiplyBy(gram.data, 1 / square);
      return gram;
    });
    addRidge(system.gram, parameters.ridge);
    return (await solveSystem(system, products)) ?? solveByEigenvectors(system, CUTOFF, products);
  },
});

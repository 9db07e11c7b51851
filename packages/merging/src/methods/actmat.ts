import { gramMatrix } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { eigenvectorBytes, solveByEigenvectors, sumTaskGrams, systemBytes } from "../matrices/gram-system.ts";
import { trimInPlace } from "../matrices/kernels/majority.ts";

const PARAMETERS = {
  density: {
    description:
      "Share of the elements of each difference, the largest ones, that its Gram matrix is made of.",
    of: "merge",
    default: 1,
    least: 0,
    most: 1,
  },
  cutoff: {
    description:
      "Share of the largest eigenvalue up to which others count as zero; 0 for the number of inputs times 2^-23.",
    of: "merge",
    default: 0,
    least: 0,
    most: 1,
  },
} as const;

/** Distance of 1 to the next number in f32, in which the authors' code runs. */
const EPSILON = 2 ** -23;

/**
 * RegMean without data: the Gram matrix of the inputs of a layer is estimated from what training changed, as
 * gradients are sums of products with inputs. With differences `D_i` from the base, the merged difference is
 * `(sum of D_i D_i^T D_i) (sum of D_i^T D_i)^+`.
 *
 * With `density` below 1 the method is the authors' later TACT, which keeps half of the elements in the
 * estimate of Gram matrices, and the whole differences elsewhere.
 *
 * Differs from the authors' code, which leaves `cutoff` to the default of `torch.linalg.pinv`: that default
 * depends on the element type, and drops all directions below the root of it, 1 % of the largest singular
 * value at a width of 768 in f32. We compute in f64 and keep the cutoff of f32. Matrices longer than 20,000,
 * such as embeddings, and the projection of texts of CLIP are averaged there, and merged here like others.
 */
export const actmat: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "actmat",
  description: "Fits layers to the outputs of every network, on inputs guessed from what training changed.",
  source: "Model merging via data-free covariance estimation, arXiv 2604.01329, 2026",
  parameters: PARAMETERS,
  heldBytes: (matrix) => Math.max(systemBytes(matrix), eigenvectorBytes(matrix)),
  async combine(tensor) {
    const { products, parameters } = tensor;
    const system = await sumTaskGrams(tensor, (difference) => {
      const trimmed = { ...difference, data: difference.data.slice() };
      trimInPlace(trimmed.data, parameters.density);
      return gramMatrix(trimmed, products);
    });
    return solveByEigenvectors(system, parameters.cutoff || system.gram.columns * EPSILON, products);
  },
});

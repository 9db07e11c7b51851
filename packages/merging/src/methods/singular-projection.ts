import { sumOf } from "@isthmus/core";
import { type Matrix, type MatrixProducts, sliceColumns } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { directionBytes, singularBytes } from "../matrices/held-bytes.ts";
import { subtract } from "../matrices/kernels/task-vectors.ts";
import { multiplyBy } from "../matrices/kernels/traces.ts";
import { diagonalOf, largestParts } from "../matrices/largest-parts.ts";
import { readBaseMatrix, sumTaskMatrices } from "../matrices/task-matrices.ts";

const PARAMETERS = {
  rank: {
    description:
      "Number of main directions of the base; 0 for as many as have half of the sum of its singular values.",
    of: "merge",
    default: 128,
    least: 0,
    whole: true,
  },
  keep: {
    description:
      "Whether the part within the main directions of the base is kept (main), or outside of them (rest).",
    of: "merge",
    default: "main",
    choices: ["main", "rest"],
  },
} as const;

/**
 * Method that keeps the part of the mean difference from the base within the main singular directions of the
 * base, on both sides, or the part outside of them on both sides. It shows where a network stores what it
 * learned: in what the base does already, or beside it.
 *
 * With the main directions `U` and `V` of the base, the parts of a difference D are `U U^T D V V^T` and
 * `(1 - U U^T) D (1 - V V^T)`.
 *
 * Differs from the authors' code, which takes one network and calls the parts `low` and `high`; by its
 * default (`full_matrices: false`) its second part lacks directions beyond the shorter side of a matrix that
 * is not square.
 */
export const singularProjection: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "singular_projection",
  description:
    "Keeps of the mean difference to the base what lies along the base's main directions, or the rest.",
  source:
    "Tang et al., SMILE: zero-shot sparse mixture of low-rank experts construction, 2024, arXiv 2408.10174",
  parameters: PARAMETERS,
  heldBytes(matrix) {
    const { short, whole } = matrix;
    return Math.max(whole + singularBytes(matrix, short), 4 * whole + directionBytes(matrix, short));
  },
  async combine(tensor) {
    const { products, parameters, networks } = tensor;
    const { left, right } = await mainDirections(await readBaseMatrix(tensor), parameters.rank, products);
    const difference = await sumTaskMatrices(tensor);
    multiplyBy(difference.data, 1 / networks.length);
    const alongRight = async (matrix: Matrix) =>
      products.multiply(await products.multiply(matrix, right), right, { transposeRight: true });
    const alongLeft = await products.multiply(left, difference, { transposeLeft: true });
    const within = await products.multiply(left, alongLeft);
    if (parameters.keep === "main") return alongRight(within);
    subtract(difference.data, within.data);
    subtract(difference.data, (await alongRight(difference)).data);
    return difference;
  },
});

/**
 * Finds the main left and right singular vectors of the base.
 * @param rank - number of directions; 0 for as many as have half of the sum of the singular values
 */
async function mainDirections(
  base: Matrix,
  rank: number,
  products: MatrixProducts,
): Promise<{ readonly left: Matrix; readonly right: Matrix }> {
  const short = Math.min(base.rows, base.columns);
  const most = rank === 0 ? short : Math.min(rank, short);
  const parts = await largestParts(base, { rank: most, products, seed: 0, iterations: 0 });
  const { left, core, right } = parts;
  if (rank > 0) return parts;
  const values = diagonalOf(core);
  const half = sumOf(values) / 2;
  let sum = 0;
  const below = values.filter((value) => {
    sum += value;
    return sum < half;
  }).length;
  const count = Math.min(core.rows, below + 1);
  return { left: sliceColumns(left, 0, count), right: sliceColumns(right, 0, count) };
}

import { joinColumns, type Matrix, sliceColumns } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { heldMatrix, singularBytes } from "../matrices/held-bytes.ts";
import { mergeBySign, trimInPlace } from "../matrices/kernels/majority.ts";
import { leftSingularVectors } from "../matrices/largest-parts.ts";
import { readTaskMatrices } from "../matrices/task-matrices.ts";

/** Largest singular value that counts as zero, as in the authors' code. */
const SMALLEST = 1e-5;

const PARAMETERS = {
  density: {
    description: "Share of elements of each difference that is kept, the largest ones.",
    of: "merge",
    default: 1,
    least: 0,
    most: 1,
  },
} as const;

/**
 * Method that merges differences in coordinates that all networks share: the left singular vectors of all
 * differences side by side. In these coordinates, each difference is trimmed to its largest elements, and
 * elements that agree with the majority of signs are averaged, as in TIES.
 *
 * Differs from the authors' code: the share of elements applies to each tensor, not to all tensors of a
 * network together.
 */
export const knots: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "knots",
  description:
    "Turns the differences to the base into common coordinates and merges them there as TIES does.",
  source: "Stoica et al., Model merging with SVD to tie the KnOTS, 2025, section 4",
  parameters: PARAMETERS,
  heldBytes({ rows, columns, networks, width, whole }) {
    const joined = heldMatrix(rows, networks * columns, 1);
    const { short } = joined;
    const together = width * short * networks * columns;
    const merging = width * rows * short + 3 * together + 2 * width * short * columns + whole;
    return 2 * networks * whole + Math.max(singularBytes(joined, short), merging);
  },
  async combine(tensor) {
    const { products, parameters } = tensor;
    const differences = await readTaskMatrices(tensor);
    const joined = joinColumns(differences);
    const left = await leftSingularVectors(joined, SMALLEST, products);
    const together = await products.multiply(left, joined, { transposeLeft: true });
    const { columns } = differences[0];
    const inCommon: Matrix[] = differences.map((_, i) =>
      sliceColumns(together, i * columns, (i + 1) * columns),
    );
    for (const { data } of inCommon) trimInPlace(data, parameters.density);
    const merged = { ...together, columns, data: together.data.slice(0, left.columns * columns) };
    mergeBySign(
      inCommon.map(({ data }) => data),
      inCommon.map(() => 1),
      merged.data,
    );
    return products.multiply(left, merged);
  },
});

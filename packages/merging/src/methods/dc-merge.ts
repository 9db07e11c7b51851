import { at, sumOf } from "@isthmus/core";
import { createMatrix, type DominantSubspaces, type Matrix } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { joinBases } from "../matrices/join-parts.ts";
import { keepBlocks, mergeBySign, trimInPlace } from "../matrices/kernels/majority.ts";
import { diagonalOf, largestParts } from "../matrices/largest-parts.ts";
import { readTaskMatrix } from "../matrices/task-matrices.ts";
import { heldByDirections } from "./tsv-m.ts";

const PARAMETERS = {
  smoothing: {
    description: "Sizes of the main directions of a network: all alike, falling evenly, or as they are.",
    of: "merge",
    default: "average",
    choices: ["average", "linear", "none"],
  },
  rho: {
    description: "Largest ratio of the sizes of two directions, for linear smoothing.",
    of: "merge",
    default: 5,
    least: 1,
  },
  density: {
    description:
      "Share of the elements of each difference that is kept in common coordinates, the largest ones.",
    of: "merge",
    default: 1e-3,
    least: 0,
    most: 1,
  },
} as const;

/**
 * Method that keeps the largest singular vectors of each difference, equally many of each, gives them sizes
 * that are more alike, and merges the differences as TIES does in coordinates in which the directions of all
 * networks are orthogonal. The result keeps only the block of each network's own directions.
 *
 * Differs from the authors' code in the number of directions: all directions divided by the number of
 * networks, as in their merges of whole networks, without directions that are rounding errors alone. Their
 * code for LoRA keeps 16 directions, the rank of all their adapters, which is the same for these. Their code
 * for whole networks has no smoothing, which their paper describes for both: `smoothing: none` repeats it.
 *
 * The default of `density` is that of their code, a thousandth of the elements: about one for each direction
 * if directions times networks are 1,000 as in their experiments, and far too few in narrow layers.
 */
export const dcMerge: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "dc_merge",
  description: "Evens out the main directions of each difference and merges them in orthogonal coordinates.",
  source: "DC-Merge: improving model merging with directional consistency, arXiv 2603.06242, 2026",
  parameters: PARAMETERS,
  heldBytes(matrix) {
    const { networks, short, width } = matrix;
    return heldByDirections(matrix) + width * (networks + 2) * short * short;
  },
  async combine(tensor) {
    const { products, parameters, networks, info } = tensor;
    const [rows = 0, columns = 0] = info.shape;
    const rank = Math.floor(Math.min(rows, columns) / networks.length);
    const parts: DominantSubspaces[] = [];
    for (let i = 0; i < networks.length && rank > 0; i++) {
      const difference = await readTaskMatrix(tensor, i);
      const part = await largestParts(difference, { rank, products, seed: 0, iterations: 0 });
      smoothInPlace(part.core, parameters);
      if (part.core.rows > 0) parts.push(part);
    }
    const [first, ...others] = parts;
    if (first === undefined) return createMatrix(rows, columns, new Float64Array(rows * columns));
    const { left, right } = await joinBases([first, ...others], products);
    const cores: Matrix[] = [];
    for (const part of parts) {
      const ofLeft = await products.multiply(left, part.left, { transposeLeft: true });
      const ofRight = await products.multiply(right, part.right, { transposeLeft: true });
      const core = await products.multiply(ofLeft, part.core);
      cores.push(await products.multiply(core, ofRight, { transposeRight: true }));
    }
    const vectors = cores.map(({ data }) => data);
    for (const vector of vectors) trimInPlace(vector, parameters.density, 1);
    const merged = at(cores, 0, "core");
    mergeBySign(
      vectors,
      vectors.map(() => 1),
      merged.data,
    );
    keepBlocks(
      merged,
      parts.map(({ core }) => core.rows),
    );
    return products.multiply(await products.multiply(left, merged), right, { transposeRight: true });
  },
});

/** Replaces singular values on a diagonal, in falling order, by values of the same sum, in place. */
function smoothInPlace(
  core: Matrix,
  { smoothing, rho }: { readonly smoothing: string; readonly rho: number },
): void {
  const { rows } = core;
  if (smoothing === "none" || rows === 0) return;
  const values = diagonalOf(core);
  const ratio = smoothing === "linear" ? Math.min(rho, at(values, 0) / at(values, rows - 1)) : 1;
  const shares = values.map((_, i) => (rows === 1 ? 1 : ratio + ((1 - ratio) * i) / (rows - 1)));
  const factor = sumOf(values) / sumOf(shares);
  for (const [i, share] of shares.entries()) core.data[i * (rows + 1)] = factor * share;
}

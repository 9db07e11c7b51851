import { InvariantError } from "@isthmus/core";
import type { DominantSubspaces, Matrix } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { directionBytes, type HeldMatrix, joinBytes, singularBytes } from "../matrices/held-bytes.ts";
import { joinParts } from "../matrices/join-parts.ts";
import { ITERATIONS, largestParts } from "../matrices/largest-parts.ts";
import { readTaskMatrix } from "../matrices/task-matrices.ts";
import type { MergedTensor } from "../merge-method.ts";

const PARAMETERS = { iterations: ITERATIONS as typeof ITERATIONS } as const;

/**
 * Method that keeps the largest singular vectors of each difference, equally many of each, and makes them
 * orthogonal over all networks, so that networks do not disturb each other.
 */
export const tsvM: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "tsv_m",
  description: "Joins the main directions of each difference to the base, made orthogonal to each other.",
  source:
    "Gargiulo et al., Task singular vectors: reducing task interference in model merging, 2025, algorithm 1",
  parameters: PARAMETERS,
  heldBytes: heldByDirections,
  combine: (tensor) => joinMainDirections(tensor, tensor.parameters.iterations),
});

/** Joins the main directions of the differences of a tensor from the base; see {@link tsvM}. */
export async function joinMainDirections(tensor: MergedTensor, iterations: number): Promise<Matrix> {
  const { products, seed, networks } = tensor;
  const parts: DominantSubspaces[] = [];
  for (let i = 0; i < networks.length; i++) {
    const difference = await readTaskMatrix(tensor, i);
    const rank = Math.floor(Math.min(difference.rows, difference.columns) / networks.length);
    // More networks than directions: none is kept, as in the authors' code.
    if (rank === 0) return { ...difference, data: difference.data.fill(0) };
    parts.push(await largestParts(difference, { rank, products, seed, iterations }));
  }
  const [first, ...others] = parts;
  if (first === undefined) throw new InvariantError("a merge has at least one network");
  return joinParts([first, ...others], products);
}

/** Computes the most bytes that it takes to find and to join the main directions of a matrix. */
export function heldByDirections(matrix: HeldMatrix): number {
  const { networks, short, whole } = matrix;
  const ofLast = singularBytes(matrix, Math.floor(short / networks));
  return Math.max(whole + directionBytes(matrix, short) + ofLast, joinBytes(matrix));
}

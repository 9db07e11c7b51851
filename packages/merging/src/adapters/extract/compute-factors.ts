import { at } from "@isthmus/core";
import { type Matrix, type MatrixProducts, transposeMatrix } from "@isthmus/linear-algebra";
import { leadingSvd } from "../../matrices/leading-svd.ts";
import { firstScaled } from "../combine/exact.ts";
import type { Factors } from "../factors.ts";
import { type Pair, readDifference } from "./read-difference.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/** How the factors of a module are computed. */
export interface FactorOptions {
  /** Rank of the factors, at least 1. */
  readonly rank: number;
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
  /** Largest shorter side for which singular values are exact, see `leadingSvd`. */
  readonly exactUpTo: number;
  /** Called with the singular values once they are known. */
  readonly onValues?: ((name: string, values: readonly number[]) => Promise<void>) | undefined;
}

/**
 * Computes the factors `B = U sqrt(S)`, `[out, rank]`, and `A = sqrt(S) V^T`, `[rank, in]`, of the largest
 * singular values of a difference; for embeddings and transposed weights, of the transposed difference.
 *
 * Source: Eckart and Young, The approximation of one matrix by another of lower rank, 1936.
 */
export async function computeFactors(
  pair: Pair,
  { name, isTransposed, isEmbedding }: ExtractedTensor,
  { rank, products, exactUpTo, onValues }: FactorOptions,
): Promise<Factors> {
  const difference = await readDifference(pair, name);
  const { left, values, right } = await leadingSvd(difference, { rank, products, exactUpTo });
  await onValues?.(name, [...values]);
  const roots = values.map((value) => Math.sqrt(value));
  const [rows, columns] = [firstScaled(left, roots, rank), firstScaled(right, roots, rank)];
  return isTransposed || isEmbedding ? factorsOf(columns, rows) : factorsOf(rows, columns);
}

function factorsOf(left: Matrix, right: Matrix): Factors {
  return { left, right: transposeMatrix(right) };
}

/**
 * Returns the most bytes that the factors of a matrix take while they are computed: the difference, the
 * copy that a multiplier of matrices may make of it, and thin matrices.
 * @param rank - rank of the factors
 */
export function factorBytes(shape: readonly number[], rank: number, exactUpTo: number): number {
  const [rows, columns] = [at(shape, 0, "extent"), at(shape, 1, "extent")];
  const short = Math.min(rows, columns);
  const thin = 4 * 6 * (Math.min(rank, short) + 12) * (rows + columns);
  const gram = short > 64 && short <= exactUpTo ? 8 * 3 * short * short + 16 * 1024 * short : 0;
  return 4 * 2 * rows * columns + thin + gram;
}

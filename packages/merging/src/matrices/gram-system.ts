import { at } from "@isthmus/core";
import {
  largestEigenvectors,
  type Matrix,
  type MatrixProducts,
  sliceColumns,
  solvePositiveDefinite,
  toFloat64Matrix,
  transposeMatrix,
  zerosLike,
} from "@isthmus/linear-algebra";
import type { MergedTensor } from "../merge-method.ts";
import type { HeldMatrix } from "./held-bytes.ts";
import { addScaled } from "./kernels/task-vectors.ts";
import { readTaskMatrix } from "./task-matrices.ts";

/**
 * The two sides of the equation `X (sum of G_i) = sum of W_i G_i`, whose solution X is the weight whose
 * outputs are nearest to the outputs of all weights W_i, each on inputs with the Gram matrix G_i.
 */
export interface GramSystem {
  /** Sum of the Gram matrices, `[inputs, inputs]`, f64. */
  readonly gram: Matrix;
  /** Sum of each Gram matrix times its transposed weight, `[inputs, outputs]`, f64. */
  readonly right: Matrix;
}

/** Makes the equation of no networks, all of zeros. */
export function emptySystem(outputs: number, inputs: number): GramSystem {
  const doubles = { data: new Float64Array(0) };
  return { gram: zerosLike(doubles, inputs, inputs), right: zerosLike(doubles, inputs, outputs) };
}

/**
 * Adds one network to both sides of the equation, in place.
 * @param weight - `[outputs, inputs]`, f64
 * @param gram - `[inputs, inputs]`, f64
 */
export async function addToSystem(
  system: GramSystem,
  weight: Matrix,
  gram: Matrix,
  products: MatrixProducts,
): Promise<void> {
  addScaled(system.gram.data, gram.data, 1);
  const right = await products.multiply(gram, weight, { transposeRight: true });
  addScaled(system.right.data, right.data, 1);
}

/**
 * Adds up the equation over the differences of all networks from the base, with one difference in memory at
 * a time.
 * @param estimateGram - returns the Gram matrix `[inputs, inputs]` that is assumed of the inputs of a
 *   network, from its difference `[outputs, inputs]` in f64, which it may change
 */
export async function sumTaskGrams(
  tensor: MergedTensor,
  estimateGram: (difference: Matrix) => Promise<Matrix>,
): Promise<GramSystem> {
  const [outputs = 0, inputs = 0] = tensor.info.shape;
  const system = emptySystem(outputs, inputs);
  for (let i = 0; i < tensor.networks.length; i++) {
    const difference = toFloat64Matrix(await readTaskMatrix(tensor, i));
    await addToSystem(system, difference, await estimateGram(difference), tensor.products);
  }
  return system;
}

/** Adds a number to the diagonal of a square matrix, in place. */
export function addRidge({ columns, data }: Matrix, ridge: number): void {
  for (let i = 0; i < columns; i++) data[i * (columns + 1)] = at(data, i * (columns + 1), "element") + ridge;
}

/**
 * Solves the equation for a sum of Gram matrices that is positive definite.
 * @returns X, `[outputs, inputs]`, f64; undefined if the sum is singular to rounding
 */
export async function solveSystem(
  { gram, right }: GramSystem,
  products: MatrixProducts,
): Promise<Matrix | undefined> {
  const solved = await solvePositiveDefinite(gram, right, products);
  return solved && transposeMatrix(solved);
}

/**
 * Solves the equation by the pseudo-inverse of the sum of Gram matrices, so that the sum may be singular. The
 * time grows with the cube of the number of inputs.
 * @param cutoff - share of the largest eigenvalue up to which others count as zero
 * @returns X, `[outputs, inputs]`, f64
 */
export async function solveByEigenvectors(
  { gram, right }: GramSystem,
  cutoff: number,
  products: MatrixProducts,
): Promise<Matrix> {
  const { values, vectors } = await largestEigenvectors(gram, gram.columns, products);
  const least = cutoff * Math.max(0, at(values, 0, "eigenvalue"));
  const rank = values.filter((value) => value > least).length;
  const { rows: inputs, columns: outputs } = right;
  if (rank === 0) return zerosLike(right, outputs, inputs);
  const basis = sliceColumns(vectors, 0, rank);
  const along = await products.multiply(basis, right, { transposeLeft: true });
  for (let i = 0; i < along.data.length; i++) {
    along.data[i] = (along.data[i] as number) / (values[Math.floor(i / outputs)] as number);
  }
  return products.multiply(along, basis, { transposeLeft: true, transposeRight: true });
}

/**
 * Computes the most bytes that both sides of the equation take while a network is added, with its difference
 * as it was read and in f64.
 */
export function systemBytes({ rows, columns, whole }: HeldMatrix): number {
  return whole + 8 * (3 * rows * columns + 3 * columns * columns);
}

/** Computes the most bytes that the solution by eigenvectors takes, with both sides of the equation. */
export function eigenvectorBytes({ rows, columns }: HeldMatrix): number {
  return 8 * (3 * rows * columns + 8.5 * columns * columns);
}

/** Computes the most bytes that the solution of a positive definite system takes, with both sides of it. */
export function inverseBytes({ rows, columns }: HeldMatrix): number {
  return 8 * (4 * rows * columns + 4 * columns * columns);
}

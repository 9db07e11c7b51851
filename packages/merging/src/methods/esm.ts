import { at, InvariantError, meanOf, toFloat64 } from "@isthmus/core";
import {
  convertLike,
  createMatrix,
  invertCholesky,
  joinColumns,
  type Matrix,
  toFloat64Matrix,
  transposeMatrix,
  zerosLike,
} from "@isthmus/linear-algebra";
import {
  defineMatrixMethod,
  type MatrixMergeMethod,
  type WithScale,
} from "../matrices/define-matrix-method.ts";
import { isotropicFactor } from "../matrices/isotropic-factor.ts";
import { columnLengths, scaleColumns } from "../matrices/kernels/columns.ts";
import { multiplyBy, trace } from "../matrices/kernels/traces.ts";
import { diagonalOf, largestParts } from "../matrices/largest-parts.ts";
import { readTaskMatrix } from "../matrices/task-matrices.ts";
import type { MergedTensor } from "../merge-method.ts";
import { heldByDirections, joinMainDirections } from "./tsv-m.ts";

const PARAMETERS = {
  power: {
    description: "Power by which long differences and columns outweigh short ones; 0 for no such scaling.",
    of: "merge",
    default: 2,
    least: 0,
  },
  spread: {
    description: "Power of the share of a direction in the changed outputs by which it is enlarged.",
    of: "merge",
    default: 0.15,
    least: 0,
  },
} as const;

/**
 * Method that keeps of each difference the directions in which it changes the outputs of the layer most, on
 * the data of that network, and makes them orthogonal over all networks.
 *
 * With the difference D of a network and the Gram matrix G of its inputs, these directions are the first
 * eigenvectors U of `D G D^T`, as many as outputs divided by networks; the network counts with `U` and
 * `U^T D`. Networks, directions and inputs with large changes are enlarged by powers. Matrices without Gram
 * matrices are merged as by `tsv_m`, all other tensors are averaged.
 *
 * Differs from the authors' code for vision transformers: the last of its three scalings, of each layer by
 * the length of its merged difference beside the lengths for the same layer in other blocks, is left out, as
 * it needs all layers at once (give layers a `scale` of their own instead). Its final factor of 2 is a part
 * of `scale`. Directions in which outputs do not change are left out; with fewer examples than outputs, their
 * code takes columns of the identity instead, which are not orthogonal to the others. Their code for RoBERTa
 * has no scaling of networks and inputs, which is `power: 0`.
 */
export const esm: MatrixMergeMethod<typeof PARAMETERS> = {
  ...defineMatrixMethod({
    name: "esm",
    description: "Joins the directions in which each difference changes outputs most, made orthogonal.",
    source: "Li et al., Model merging in the essential subspace, 2026, arXiv 2602.20208",
    parameters: PARAMETERS,
    heldBytes(matrix) {
      const { rows, columns, networks, whole } = matrix;
      const grams = 8 * (6 * columns * columns + 2 * rows * columns);
      return heldByDirections(matrix) + whole + grams + (8 * rows * rows) / networks;
    },
    combine: (tensor) =>
      tensor.measured === undefined ? joinMainDirections(tensor, 0) : joinEssential(tensor),
  }),
  needs: "grams",
};

/** Merges the differences of a layer of which Gram matrices were measured. */
async function joinEssential(tensor: MergedTensor<WithScale<typeof PARAMETERS>>): Promise<Matrix> {
  const { products, parameters, networks } = tensor;
  const { power, spread } = parameters;
  const lefts: Matrix[] = [];
  const rights: Matrix[] = [];
  const lengths: number[] = [];
  for (let i = 0; i < networks.length; i++) {
    const difference = await readTaskMatrix(tensor, i);
    const length = Math.sqrt(trace(difference.data, difference.data));
    lengths.push(length);
    const rank = Math.floor(difference.rows / networks.length);
    const outputs = await changedOutputs(difference, tensor, i);
    const { left, core } = await largestParts(outputs, { rank, products, seed: 0, iterations: 0 });
    // Rows of the transposed difference along the directions, so that directions are columns on both sides.
    const right = await products.multiply(difference, left, { transposeLeft: true });
    const factors = factorsOf(core, spread);
    scaleColumns(left, factors);
    scaleColumns(
      right,
      factors.map((factor) => factor * length ** power),
    );
    lefts.push(left);
    rights.push(right);
  }
  const mean = meanOf(lengths);
  const left = join(lefts);
  const joined = join(rights);
  if (mean === 0 || left.columns === 0) return zerosLike(left, left.rows, joined.rows);
  multiplyBy(joined.data, mean ** -power);
  const right = transposeMatrix(joined);
  const inputs = columnLengths(right);
  const usual = meanOf(inputs);
  scaleColumns(
    right,
    inputs.map((length) => (length / usual) ** power),
  );
  return products.multiply(await isotropicFactor(left, products), await isotropicFactor(right, products));
}

/**
 * Computes a matrix `[outputs, inputs]` with the same left singular vectors as the changes of all outputs on
 * the data of a network, and with proportional singular values: the difference times a factor of the Gram
 * matrix.
 */
async function changedOutputs(
  difference: Matrix,
  { name, measured, products }: MergedTensor,
  network: number,
): Promise<Matrix> {
  if (measured === undefined) throw new InvariantError(`nothing was measured of "${name}"`);
  const { data, dtype } = await at(measured, network, "Gram matrix").read(name);
  const { columns } = difference;
  const gram = createMatrix(columns, columns, Float64Array.from(toFloat64(data, dtype)));
  const inverse = await invertCholesky(gram, products);
  const factor = await products.multiply(gram, inverse, { transposeRight: true });
  return convertLike(difference, await products.multiply(toFloat64Matrix(difference), factor));
}

/** Returns the factor of each direction, a power of its share in the squared changes, with a mean of 1. */
function factorsOf(core: Matrix, spread: number): Float64Array {
  const factors = diagonalOf(core).map((value) => value ** (2 * spread));
  const mean = meanOf(factors);
  return factors.map((factor) => factor / mean);
}

function join([first, ...others]: readonly Matrix[]): Matrix {
  if (first === undefined) throw new InvariantError("a merge has at least one network");
  return joinColumns([first, ...others]);
}

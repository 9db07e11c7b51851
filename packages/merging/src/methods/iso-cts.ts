import { InvariantError } from "@isthmus/core";
import {
  type DominantSubspaces,
  type Matrix,
  type MatrixProducts,
  polarFactor,
} from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import { directionBytes, joinBytes, singularBytes } from "../matrices/held-bytes.ts";
import { joinParts } from "../matrices/join-parts.ts";
import { subtract } from "../matrices/kernels/task-vectors.ts";
import { multiplyBy, trace } from "../matrices/kernels/traces.ts";
import { ITERATIONS, largestParts } from "../matrices/largest-parts.ts";
import { readTaskMatrices, sumMatrices } from "../matrices/task-matrices.ts";

const PARAMETERS = {
  common_space_fraction: {
    description: "Share of directions that come from the sum; the rest is divided among the networks.",
    of: "merge",
    default: 0.8,
    least: 0,
    most: 1,
  },
  iterations: ITERATIONS as typeof ITERATIONS,
} as const;

/**
 * Method that gives the largest directions of the summed differences, and further directions of each network
 * outside of these, the same size.
 */
export const isoCts: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "iso_cts",
  description:
    "Joins the main directions of the summed differences with directions of each network, all of equal size.",
  source: "Marczak et al., No task left behind: isotropic model merging, 2025, section 4.2, algorithm 2",
  parameters: PARAMETERS,
  heldBytes(matrix) {
    const { networks, short, whole } = matrix;
    // The sum, or a difference without the directions of the sum, beside all differences.
    const search = 2 * whole + directionBytes(matrix, short) + singularBytes(matrix, short);
    return networks * whole + Math.max(search, joinBytes(matrix));
  },
  async combine(tensor) {
    const { products, seed } = tensor;
    const search = { products, seed, iterations: tensor.parameters.iterations };
    const differences = await readTaskMatrices(tensor);
    const least = Math.min(differences[0].rows, differences[0].columns);
    const shares = shareDirections(least, tensor.parameters.common_space_fraction, differences.length);
    const parts: DominantSubspaces[] = [];
    let common: Matrix | undefined;
    if (shares.common > 0) {
      const part = await largestParts(sumMatrices(differences), { rank: shares.common, ...search });
      common = part.left;
      parts.push(part);
    }
    for (const difference of shares.ofEach > 0 ? differences : []) {
      const rest = common === undefined ? difference : await removeSpace(difference, common, products);
      parts.push(await largestParts(rest, { rank: shares.ofEach, ...search }));
    }
    return joinIsotropic(parts, least, products);
  },
});

/**
 * Divides the directions of a matrix between the sum and the networks; each network gets equally many.
 *
 * As in the authors' code, halves are rounded to even numbers; the total never exceeds the number of
 * directions.
 */
function shareDirections(least: number, fraction: number, networks: number) {
  const share = (least - Math.floor(least * fraction)) / networks;
  const ofEach = Math.min(roundHalfToEven(share), Math.floor(least / networks));
  return { common: least - ofEach * networks, ofEach };
}

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + (below % 2) : Math.round(x);
}

/** Subtracts from a matrix its projection onto a space with an orthonormal basis. */
async function removeSpace(matrix: Matrix, basis: Matrix, products: MatrixProducts): Promise<Matrix> {
  const inside = await products.multiply(basis, matrix, { transposeLeft: true });
  const rest = { ...matrix, data: matrix.data.slice() };
  subtract(rest.data, (await products.multiply(basis, inside)).data);
  return rest;
}

/** Joins parts, with all singular values equal to the mean of the singular values of the parts. */
async function joinIsotropic(
  parts: readonly DominantSubspaces[],
  directions: number,
  products: MatrixProducts,
): Promise<Matrix> {
  let sum = 0;
  const turned: DominantSubspaces[] = [];
  for (const part of parts) {
    const core = isDiagonal(part.core) ? identityLike(part.core) : await polarFactor(part.core, products);
    sum += trace(core.data, part.core.data);
    turned.push({ ...part, core });
  }
  const [first, ...others] = turned;
  if (first === undefined) throw new InvariantError("a matrix has at least one direction");
  const joined = await joinParts([first, ...others], products);
  multiplyBy(joined.data, sum / directions);
  return joined;
}

/**
 * Checks whether a matrix is square and has positive numbers on its diagonal only, like a matrix of singular
 * values.
 */
function isDiagonal({ rows, columns, data }: Matrix): boolean {
  return rows === columns && data.every((x, place) => (place % (columns + 1) === 0 ? x > 0 : x === 0));
}

function identityLike({ columns, data, ...rest }: Matrix): Matrix {
  return { ...rest, columns, data: data.map((_, place) => (place % (columns + 1) === 0 ? 1 : 0)) };
}

import { meanOf, sumOf } from "@isthmus/core";
import { createMatrix, gramMatrix, type Matrix, type MatrixProducts } from "@isthmus/linear-algebra";
import { defineMatrixMethod, type MatrixMergeMethod } from "../matrices/define-matrix-method.ts";
import {
  addRidge,
  type GramSystem,
  inverseBytes,
  solveByEigenvectors,
  solveSystem,
  sumTaskGrams,
  systemBytes,
} from "../matrices/gram-system.ts";
import { heldMatrix, singularBytes } from "../matrices/held-bytes.ts";
import { centreColumns } from "../matrices/kernels/columns.ts";
import { addScaled } from "../matrices/kernels/task-vectors.ts";
import { multiplyBy, trace } from "../matrices/kernels/traces.ts";
import { diagonalOf, largestParts } from "../matrices/largest-parts.ts";
import { readTaskMatrix } from "../matrices/task-matrices.ts";

const PARAMETERS = {
  ridge: {
    description:
      "Number added to the diagonal of each covariance; of heterogeneous layers divided by its trace.",
    of: "merge",
    default: 1e-2,
    least: 1e-12,
  },
  threshold: {
    description: "Spread of the sizes of the differences above which a layer counts as heterogeneous.",
    of: "merge",
    default: 0.3,
    least: 0,
  },
  fraction: {
    description: "Share of singular directions of heterogeneous layers that are refined.",
    of: "merge",
    default: 0.3,
    least: 0,
    most: 1,
  },
} as const;

/** Least number of which logarithms are taken, and least divisor, as in the authors' code. */
const TINY = 1e-12;
/** Cutoff of eigenvalues if the sum of covariances is singular to rounding. */
const CUTOFF = 1e-12;

/**
 * RegMean without data: the covariance of the inputs of a layer is estimated by that of the rows of the
 * difference from the base. With centred differences `C_i` the merged difference is
 * `(sum of C_i S_i) (sum of S_i + 1 c^T)^-1`, where `S_i = C_i^T C_i + ridge` and c, the structure that all
 * networks share, is the mean row of the sum of `C_i^T C_i`.
 *
 * In layers whose differences have very different sizes, each covariance is divided by its trace, and after
 * the solution the largest singular directions of `sum of D_i (S_i - mean S) + solution` are added, all of
 * their mean size.
 *
 * This is what the authors' code does, and the golden values are its results. Four things in it are not what
 * one expects, and are kept: differences are centred in the sum on the left, too, so that the mean row of
 * each difference is lost; c is added to every row, which makes the matrix asymmetric; the spread of sizes
 * is the variance of the logarithms of the squared norms divided by the square of their mean, which depends
 * on the unit of the weights and grows without bound if the squared norms are near 1; and the ridge is an
 * absolute number, so that small differences are merged to nearly their plain mean.
 */
export const ace: MatrixMergeMethod<typeof PARAMETERS> = defineMatrixMethod({
  name: "ace",
  description:
    "Fits layers to the outputs of every network, on the covariance of the rows of each difference.",
  source: "Xu et al., ACE-Merging: data-free model merging with adaptive covariance estimation, 2026",
  parameters: PARAMETERS,
  heldBytes(matrix) {
    const { rows, columns } = matrix;
    const refined = 3 * 8 * rows * columns + singularBytes(heldMatrix(rows, columns, 1), matrix.short);
    return Math.max(systemBytes(matrix) + 8 * rows * columns, inverseBytes(matrix), refined);
  },
  async combine(tensor) {
    const { products, parameters, networks } = tensor;
    const squares: number[] = [];
    for (let i = 0; i < networks.length; i++) {
      const { data } = await readTaskMatrix(tensor, i);
      squares.push(trace(data, data));
    }
    const isMixed = spreadOfLogarithms(squares) > parameters.threshold;
    const rest: Rest = { sum: undefined, shifted: undefined };
    let ridges = 0;
    const system = await sumTaskGrams(tensor, async (difference) => {
      const whole = isMixed ? { ...difference, data: difference.data.slice() } : undefined;
      centreColumns(difference);
      const gram = await gramMatrix(difference, products);
      const unit = isMixed ? trace(difference.data, difference.data) + TINY : 1;
      multiplyBy(gram.data, 1 / unit);
      if (whole !== undefined) await addRest(rest, whole, gram, products);
      addRidge(gram, parameters.ridge / unit);
      ridges += parameters.ridge / unit;
      return gram;
    });
    const mean = meanOf(squares);
    const shared = { ridges, share: 1 / (system.gram.columns * (isMixed ? mean + TINY : 1)) };
    const solved = await solveWithShared(system, shared, products);
    if (rest.sum === undefined || rest.shifted === undefined) return solved;
    const taken = await products.multiply(rest.sum, system.gram);
    addScaled(rest.shifted.data, taken.data, -1 / networks.length);
    addScaled(rest.shifted.data, solved.data, 1);
    await addRefined(solved, rest.shifted, parameters.fraction, products);
    return solved;
  },
});

/** Sums over the networks from which the refinement of heterogeneous layers is made. */
interface Rest {
  /** Sum of the differences; undefined before the first. */
  sum: Matrix | undefined;
  /** Sum of the differences times their covariances; undefined before the first. */
  shifted: Matrix | undefined;
}

async function addRest(rest: Rest, whole: Matrix, gram: Matrix, products: MatrixProducts): Promise<void> {
  const shifted = await products.multiply(whole, gram);
  if (rest.sum === undefined || rest.shifted === undefined) {
    rest.sum = whole;
    rest.shifted = shifted;
    return;
  }
  addScaled(rest.sum.data, whole.data, 1);
  addScaled(rest.shifted.data, shifted.data, 1);
}

/**
 * Returns the variance of the logarithms of numbers, divided by the square of their mean; 0 of one number.
 */
function spreadOfLogarithms(numbers: readonly number[]): number {
  if (numbers.length < 2) return 0;
  const logs = numbers.map((x) => Math.log(x + TINY));
  const mean = meanOf(logs);
  const variance = sumOf(logs.map((x) => (x - mean) ** 2)) / (logs.length - 1);
  return variance / (mean ** 2 + TINY);
}

/**
 * Solves `X (S + 1 c^T) = B`, where c is `share` times the sum of the rows of S without its ridges.
 *
 * By the formula of Sherman and Morrison, with `y = S^-1 1` and `z = S^-1 c`, the solution is
 * `X_0 - (X_0 1) z^T / (1 + 1^T z)`, where `X_0 = B S^-1`. As `c = share (S 1 - ridges 1)`, z is
 * `share (1 - ridges y)`, so that y is one more right side.
 */
async function solveWithShared(
  { gram, right }: GramSystem,
  { ridges, share }: { readonly ridges: number; readonly share: number },
  products: MatrixProducts,
): Promise<Matrix> {
  const { rows: inputs, columns: outputs } = right;
  const wider = createMatrix(inputs, outputs + 1, new Float64Array(inputs * (outputs + 1)).fill(1));
  for (let i = 0; i < inputs; i++)
    wider.data.set(right.data.subarray(i * outputs, (i + 1) * outputs), i * (outputs + 1));
  const system = { gram, right: wider };
  const both = (await solveSystem(system, products)) ?? (await solveByEigenvectors(system, CUTOFF, products));
  const solved = createMatrix(outputs, inputs, both.data.subarray(0, outputs * inputs));
  const z = both.data.subarray(outputs * inputs).map((y) => share * (1 - ridges * y));
  const total = 1 + sumOf(z);
  for (let o = 0; o < outputs; o++) {
    const row = solved.data.subarray(o * inputs, (o + 1) * inputs);
    addScaled(row, z, -sumOf(row) / total);
  }
  return solved;
}

/** Adds the largest singular directions of a matrix, all of the mean of their singular values, in place. */
async function addRefined(
  solved: Matrix,
  from: Matrix,
  fraction: number,
  products: MatrixProducts,
): Promise<void> {
  const rank = Math.floor(Math.min(from.rows, from.columns) * fraction);
  if (rank === 0) return;
  const { left, core, right } = await largestParts(from, { rank, products, seed: 0, iterations: 0 });
  const refined = await products.multiply(left, right, { transposeRight: true });
  addScaled(solved.data, refined.data, sumOf(diagonalOf(core)) / rank);
}

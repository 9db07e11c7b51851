import { InvariantError } from "@isthmus/core";
import type { Matrix, MatrixProducts } from "@isthmus/linear-algebra";
import {
  defineMatrixMethod,
  type MatrixMergeMethod,
  type WithScale,
} from "../matrices/define-matrix-method.ts";
import { directionBytes, type HeldMatrix, singularBytes } from "../matrices/held-bytes.ts";
import { calibrateRows } from "../matrices/kernels/calibrate-rows.ts";
import { leftSingularVectors } from "../matrices/largest-parts.ts";
import { readTaskMatrices, readTaskMatrix, sumMatrices } from "../matrices/task-matrices.ts";
import type { MergedTensor } from "../merge-method.ts";
import type { ParameterSpec, ParameterSpecs } from "../parameters.ts";

/** Description of the parameter `alpha`, whose default depends on the wrapped method. */
interface AlphaSpec extends ParameterSpec<number> {
  readonly of: "merge";
  readonly default: number;
}

const ALPHA: AlphaSpec = {
  description: "Least agreement that is assumed of a network, so that no direction grows without bound.",
  of: "merge",
  default: 0.1,
  least: 1e-6,
};

interface AlphaSpecs extends ParameterSpecs {
  readonly alpha: AlphaSpec;
}

const PARAMETERS: AlphaSpecs = { alpha: ALPHA };

/**
 * Method that sums the differences from the base and calibrates the singular values of the sum: a direction
 * that several networks share is counted once.
 */
export const svc: MatrixMergeMethod<AlphaSpecs> = defineMatrixMethod({
  name: "svc",
  description: "Sums the differences to the base and shrinks directions that several of them share.",
  source: "Singular value calibration, arXiv 2602.05536, 2026",
  parameters: PARAMETERS,
  heldBytes: (matrix) => Math.max((matrix.networks + 1) * matrix.whole, calibrationBytes(matrix)),
  async combine(tensor) {
    const differences = await readTaskMatrices(tensor);
    return calibrate(sumMatrices(differences), tensor);
  },
});

/**
 * Wraps a method on matrices, such as `tsv_m`, so that the singular values of its result are calibrated.
 * @param alpha - least agreement that is assumed of a network; the paper takes 0.1 for sums, TIES and Iso-C,
 *   0.2 for Iso-CTS, 1 for TSV-M and WUDI
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { calibrated, tsvM } from "@isthmus/merging";
 *
 * assert.equal(calibrated(tsvM, 1).name, "svc_tsv_m");
 * ```
 */
export function calibrated<P extends ParameterSpecs>(
  method: MatrixMergeMethod<P>,
  alpha: number,
): MatrixMergeMethod<P & AlphaSpecs> {
  return defineMatrixMethod({
    name: `svc_${method.name}`,
    description: `${method.description.slice(0, -1)}, then shrinks directions that several networks share.`,
    source: `${svc.source}; ${method.source}`,
    parameters: { ...method.parameters, alpha: { ...ALPHA, default: alpha } },
    heldBytes(matrix) {
      const { rows, columns, networks } = matrix;
      const ofMethod = method.heldBytes?.({ dtype: "f32", shape: [rows, columns] }, networks);
      if (ofMethod === undefined) throw new InvariantError(`${method.name} does not say what it holds`);
      return Math.max(ofMethod, calibrationBytes(matrix));
    },
    async combine(tensor) {
      const merged = await method.survey?.(tensor as unknown as MergedTensor<WithScale<P>>);
      if (merged === undefined) throw new InvariantError(`${method.name} has no rule for matrices`);
      const [rows = 0, columns = 0] = tensor.info.shape;
      return calibrate({ rows, columns, data: merged }, tensor as unknown as CalibratedTensor);
    },
  });
}

/**
 * Computes the most bytes that calibration holds: the merged difference, all its directions, and its
 * components along them.
 */
function calibrationBytes(matrix: HeldMatrix): number {
  const { short, columns, width, whole } = matrix;
  const along = 2 * width * short * columns + whole;
  return whole + Math.max(singularBytes(matrix, short), directionBytes(matrix, short) + whole + along);
}

/** A tensor with the parameter that calibration needs. */
type CalibratedTensor = MergedTensor<AlphaSpecs>;

/** Calibrates the singular values of a merged difference by the differences from which it was made. */
async function calibrate(merged: Matrix, tensor: MergedTensor): Promise<Matrix> {
  const products: MatrixProducts = tensor.products;
  const alpha = Number((tensor as CalibratedTensor).parameters.alpha);
  const left = await leftSingularVectors(merged, 0, products);
  const along = await products.multiply(left, merged, { transposeLeft: true });
  const agreements = new Float64Array(left.columns);
  for (let i = 0; i < tensor.networks.length; i++) {
    const difference = await readTaskMatrix(tensor, i);
    const part = await products.multiply(left, difference, { transposeLeft: true });
    calibrateRows(along, part, { alpha, agreements });
  }
  for (let r = 0; r < along.rows; r++) {
    const factor = tensor.networks.length / (agreements[r] as number);
    for (let j = r * along.columns; j < (r + 1) * along.columns; j++) {
      along.data[j] = factor * (along.data[j] as number);
    }
  }
  return products.multiply(left, along);
}

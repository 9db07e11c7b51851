import { at, type Tensor } from "@isthmus/core";
import { createMatrix, type Matrix, multiply, transposeMatrix } from "@isthmus/linear-algebra";
import { solveAssignment } from "@isthmus/weight-matching";

/** Matrices of an expert in f32 by the ends of their names, such as `w1.weight`. */
export type UnitWeights = ReadonlyMap<string, Tensor>;

/** Checks whether hidden units are the columns of a matrix, rather than its rows. */
export function isDown(suffix: string): boolean {
  return /^(?:w2|down_proj)\./.test(suffix);
}

/**
 * Finds the order of the hidden units of an expert in which its matrices are most like the matrices of
 * another: the assignment with the largest sum of scalar products of the weights of units. It changes nothing
 * that the expert computes, and experts from one base have their units in one order already.
 * @returns for each unit of `fixed`, the unit of `moved` that takes its place
 */
export async function alignUnits(fixed: UnitWeights, moved: UnitWeights): Promise<Int32Array> {
  let products: Float32Array | undefined;
  for (const [suffix, tensor] of fixed) {
    const other = moved.get(suffix);
    if (other === undefined) continue;
    const [left, right] = [unitRows(suffix, tensor), unitRows(suffix, other)];
    const { data } = multiply(left, right, { transposeRight: true });
    if (products === undefined) products = Float32Array.from(data);
    else for (let i = 0; i < data.length; i++) products[i] = (products[i] as number) + (data[i] as number);
  }
  const cost = products ?? new Float32Array();
  const units = Math.sqrt(cost.length);
  if (isOwnBest(cost, units)) return Int32Array.from({ length: units }, (_, i) => i);
  return solveAssignment({ rows: units, columns: units, data: cost }, { maximize: true }).assignment;
}

/** Returns a matrix with a row for each hidden unit. */
function unitRows(suffix: string, { shape, data }: Tensor): Matrix {
  const matrix = createMatrix(at(shape, 0), at(shape, 1), data as Float32Array);
  return isDown(suffix) ? transposeMatrix(matrix) : matrix;
}

/** Checks whether each unit is most like the unit of its own place, so that there is nothing to solve. */
function isOwnBest(products: Float32Array, units: number): boolean {
  for (let i = 0; i < units; i++) {
    const best = at(products, i * (units + 1));
    if (products.subarray(i * units, (i + 1) * units).some((product) => product > best)) return false;
  }
  return true;
}

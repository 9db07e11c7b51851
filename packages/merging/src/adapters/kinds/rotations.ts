import { at, InvariantError } from "@isthmus/core";
import {
  createMatrix,
  type Matrix,
  multiply,
  plainProducts,
  solvePositiveDefinite,
} from "@isthmus/linear-algebra";
import type { MultipliedRows } from "./multiplied-weight.ts";

/** Rotations of blocks of columns, which are taken in an order. */
export interface RotationStage {
  /** Rotations, one for each block, or one for all; all of one size. */
  readonly rotations: readonly Matrix[];
  /** Positions of the columns of the blocks, one block after the other. @defaultValue the order of columns */
  readonly order?: Uint32Array | undefined;
}

/** Multiplies rows by the transposed rotations of each stage, block by block: `W R^T`. */
export function rotateColumns(
  rows: Pick<MultipliedRows, "data" | "columns">,
  stages: readonly RotationStage[],
): void {
  for (const stage of stages) rotate(rows, stage);
}

function rotate(
  { data, columns }: Pick<MultipliedRows, "data" | "columns">,
  { rotations, order }: RotationStage,
): void {
  const { rows: size } = at(rotations, 0, "rotation");
  const rows = data.length / columns;
  const part = new Float64Array(rows * size);
  const columnOf = (position: number) => (order === undefined ? position : at(order, position, "position"));
  for (let block = 0; block < columns / size; block++) {
    const rotation = at(rotations, block % rotations.length, "rotation");
    for (let j = 0; j < size; j++) {
      const column = columnOf(block * size + j);
      for (let i = 0; i < rows; i++) part[i * size + j] = at(data, i * columns + column, "element");
    }
    const rotated = multiply(createMatrix(rows, size, part), rotation, { transposeRight: true }).data;
    for (let j = 0; j < size; j++) {
      const column = columnOf(block * size + j);
      for (let i = 0; i < rows; i++) data[i * columns + column] = at(rotated, i * size + j, "element");
    }
  }
}

/**
 * Makes skew-symmetric matrices of square ones, `factor * (M - M^T)`.
 * @param elements - the elements of square matrices, one after the other
 */
export function skewsOf(elements: Float64Array, size: number, factor: number): readonly Matrix[] {
  return Array.from({ length: elements.length / size ** 2 }, (_, block) => {
    const square = elements.subarray(block * size ** 2, (block + 1) * size ** 2);
    const skew = square.map(
      (x, i) => factor * (x - at(square, (i % size) * size + Math.floor(i / size), "element")),
    );
    return createMatrix(size, size, skew);
  });
}

/** Computes the Cayley transform of `Q`, `(I - Q) (I + Q)^-1`, which is `(I - Q)^2 (I - Q^2)^-1`. */
export async function cayley(skew: Matrix): Promise<Matrix> {
  const size = skew.rows;
  const difference = createMatrix(size, size, skew.data.slice());
  const square = multiply(skew, skew, { transposeLeft: true });
  for (let i = 0; i < difference.data.length; i++) difference.data[i] = -at(skew.data, i, "element");
  addIdentity(difference);
  addIdentity(square);
  const solved = await solvePositiveDefinite(square, multiply(difference, difference), plainProducts);
  if (solved === undefined) throw new InvariantError("I - Q^2 of a skew-symmetric Q is positive definite");
  return solved;
}

/** Adds the identity to a square matrix, in place. */
export function addIdentity({ rows, data }: Matrix): void {
  for (let i = 0; i < rows; i++) data[i * (rows + 1)] = at(data, i * (rows + 1), "element") + 1;
}

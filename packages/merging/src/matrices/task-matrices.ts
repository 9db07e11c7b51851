import {
  at,
  type Checkpoint,
  entry,
  InputError,
  InvariantError,
  sizeOf,
  toFloat32,
  toFloat64,
} from "@isthmus/core";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import type { MergedTensor } from "../merge-method.ts";
import { SMALL } from "./held-bytes.ts";
import { addScaled, subtract } from "./kernels/task-vectors.ts";

/** Number of elements that are read at a time, so that the whole tensor is in memory only once. */
const PIECE = 2 ** 20;

/** Checks whether a tensor is a matrix, to which methods on matrices apply their rule. */
export function isMatrix({ info: { shape } }: Pick<MergedTensor, "info">): boolean {
  return shape.length === 2 && sizeOf(shape) > 0;
}

/** Reads the difference of one network from the base as a matrix, in f64 if it is small, otherwise in f32. */
export function readTaskMatrix(tensor: MergedTensor, network: number): Promise<Matrix> {
  return readMatrix(tensor, at(tensor.networks, network, "network"), baseOf(tensor));
}

/** Reads the matrix of the base, in the element type of {@link readTaskMatrix}. */
export function readBaseMatrix(tensor: MergedTensor): Promise<Matrix> {
  return readMatrix(tensor, baseOf(tensor));
}

/** Reads a matrix of one network, less the matrix of another one. */
async function readMatrix(tensor: MergedTensor, of: Checkpoint, less?: Checkpoint): Promise<Matrix> {
  const [rows, columns] = tensor.info.shape;
  if (rows === undefined || columns === undefined) throw new InvariantError(`"${tensor.name}" is no matrix`);
  const size = rows * columns;
  const isSmall = Math.min(rows, columns) <= SMALL;
  const matrix = isSmall ? new Float64Array(size) : new Float32Array(size);
  for (let begin = 0; begin < size; begin += PIECE) {
    const end = Math.min(size, begin + PIECE);
    const read = async (network: Checkpoint) => {
      const { dtype } = entry(network.tensors, tensor.name, "tensor");
      const data = await network.readRange(tensor.name, begin, end);
      return isSmall ? toFloat64(data, dtype) : toFloat32(data, dtype);
    };
    const piece = matrix.subarray(begin, end);
    piece.set(await read(of));
    if (less !== undefined) subtract(piece, await read(less));
  }
  return createMatrix(rows, columns, matrix);
}

/** Reads the differences of all networks from the base as matrices. */
export async function readTaskMatrices(tensor: MergedTensor): Promise<[Matrix, ...Matrix[]]> {
  const first = await readTaskMatrix(tensor, 0);
  const others: Matrix[] = [];
  for (let i = 1; i < tensor.networks.length; i++) others.push(await readTaskMatrix(tensor, i));
  return [first, ...others];
}

/** Reads and sums the differences of all networks from the base, with one network in memory at a time. */
export async function sumTaskMatrices(tensor: MergedTensor): Promise<Matrix> {
  const sum = await readTaskMatrix(tensor, 0);
  for (let i = 1; i < tensor.networks.length; i++) {
    addScaled(sum.data, (await readTaskMatrix(tensor, i)).data, 1);
  }
  return sum;
}

/** Adds matrices of one shape. */
export function sumMatrices([first, ...others]: readonly [Matrix, ...Matrix[]]): Matrix {
  const sum = { ...first, data: first.data.slice() };
  for (const { data } of others) addScaled(sum.data, data, 1);
  return sum;
}

function baseOf({ base, name }: MergedTensor): Checkpoint {
  if (base !== undefined) return base;
  throw new InputError(`Cannot merge "${name}" as differences need the network that others were made from`, {
    input: name,
  });
}

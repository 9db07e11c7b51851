import {
  allocateData,
  at,
  type Checkpoint,
  DTYPES,
  type DType,
  type Elements,
  findNonFinite,
  sizeOf,
  toFloat64,
} from "@isthmus/core";

/** Elements that are read at once. */
const PIECE = 2 ** 18;

/** A range of a tensor. */
export interface TensorPiece {
  readonly name: string;
  readonly dtype: DType;
  readonly begin: number;
  readonly length: number;
}

/** Cuts the floating-point tensors of a network into pieces; integers cannot be wrong. */
export function* cutPieces({ tensors }: Checkpoint): Generator<TensorPiece> {
  for (const [name, { dtype, shape }] of tensors) {
    const size = DTYPES[dtype].float ? sizeOf(shape) : 0;
    for (let begin = 0; begin < size; begin += PIECE) {
      yield { name, dtype, begin, length: Math.min(PIECE, size - begin) };
    }
  }
}

/** Reads a piece of a checkpoint. */
export async function readPiece(
  checkpoint: Checkpoint,
  { name, dtype, begin, length }: TensorPiece,
): Promise<Elements> {
  const data = allocateData(dtype, length);
  await checkpoint.readRangeInto(name, begin, data);
  return { dtype, data };
}

/** Says which element of a piece is the first that is not finite, or returns `undefined` if all are. */
export function faultOf({ name, begin }: TensorPiece, elements: Elements): string | undefined {
  const place = findNonFinite(elements);
  if (place < 0) return undefined;
  const value = at(toFloat64(elements.data, elements.dtype), place);
  return `element ${begin + place} of "${name}" is ${value}`;
}

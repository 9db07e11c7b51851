import {
  at,
  borrowScratch,
  type Checkpoint,
  DTYPES,
  type DType,
  type Elements,
  findNonFinite,
  sizeOf,
  toFloat64,
  viewData,
} from "@isthmus/core";

/** Number of bytes that are read at once: core reads so many bytes without handing over to another thread. */
const PIECE_BYTES = 128 * 1024;

/** A range of a tensor. */
export interface TensorPiece {
  /** Name of the tensor. */
  readonly name: string;
  /** Element type of the tensor, a floating-point type. */
  readonly dtype: DType;
  /** Index of the first element of the piece, row-major, from 0. */
  readonly begin: number;
  /** Number of elements of the piece. */
  readonly length: number;
}

/**
 * Cuts the floating-point tensors of a network into pieces; integers need no check, as all of their values
 * are finite.
 */
export function* cutPieces({ tensors }: Checkpoint): Generator<TensorPiece> {
  for (const [name, { dtype, shape }] of tensors) {
    const size = DTYPES[dtype].float ? sizeOf(shape) : 0;
    const most = PIECE_BYTES / DTYPES[dtype].bytes;
    for (let begin = 0; begin < size; begin += most) {
      yield { name, dtype, begin, length: Math.min(most, size - begin) };
    }
  }
}

/** Memory for one piece at a time. */
export interface PieceReader {
  /** Reads a piece of a checkpoint; its elements are valid until the next piece is read. */
  read(checkpoint: Checkpoint, piece: TensorPiece): Promise<Elements>;
}

/** Borrows memory for a piece, which kernels can use without copying it, for as long as the work takes. */
export async function withPieceReader<R>(work: (reader: PieceReader) => Promise<R>): Promise<R> {
  const { bytes, release } = borrowScratch(PIECE_BYTES);
  try {
    return await work({
      async read(checkpoint, { name, dtype, begin, length }) {
        const data = viewData(dtype, bytes.subarray(0, length * DTYPES[dtype].bytes));
        await checkpoint.readRangeInto(name, begin, data);
        return { dtype, data };
      },
    });
  } finally {
    release();
  }
}

/**
 * Says which element of a piece is the first that is not finite, or returns `undefined` if all are finite.
 */
export function faultOf(piece: TensorPiece, elements: Elements): string | undefined {
  const place = findNonFinite(elements);
  return place < 0 ? undefined : describeElement(piece, elements, place);
}

/** Says which element of a piece is the first that is negative, or returns `undefined` if none is. */
export function negativeOf(piece: TensorPiece, elements: Elements): string | undefined {
  const place = toFloat64(elements.data, elements.dtype).findIndex((value) => value < 0);
  return place < 0 ? undefined : describeElement(piece, elements, place);
}

function describeElement({ name, begin }: TensorPiece, { data, dtype }: Elements, place: number): string {
  return `element ${begin + place} of "${name}" is ${at(toFloat64(data, dtype), place)}`;
}

import { at } from "../../invariant.ts";
import type { TensorData } from "../../tensor/dtype.ts";
import { sizeOf, stridesOf } from "../../tensor/shape.ts";

/** Fills `out` with elements `[begin, begin + out.length)` of a part of a tensor, in row-major order. */
export type ReadPart = (begin: number, out: TensorData) => Promise<void>;

/** A box of a tensor that is stored apart from the rest, such as the rows that one process held. */
export interface Piece {
  /** Position of the first element of the box along each axis of the tensor. */
  readonly offsets: readonly number[];
  /** Extents of the box, of the rank of the tensor. */
  readonly sizes: readonly number[];
  /** Name of the file or part in which the box is stored, for messages. */
  readonly origin: string;
  /** Reads elements of the box. */
  readonly read: ReadPart;
}

/** Returns how many elements of a box come before element `index` of the tensor, in row-major order. */
export function countBefore(piece: Piece, shape: readonly number[], index: number): number {
  const { offsets, sizes } = piece;
  const volume = sizeOf(sizes);
  if (index >= sizeOf(shape)) return volume;
  const strides = stridesOf(shape);
  const inner = stridesOf(sizes);
  let rest = index;
  let count = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const stride = at(strides, axis, "axis");
    const position = Math.floor(rest / stride) - at(offsets, axis, "axis");
    rest %= stride;
    if (position < 0) return count;
    const size = at(sizes, axis, "axis");
    const step = at(inner, axis, "axis");
    if (position >= size) return count + size * step;
    count += position * step;
  }
  return count;
}

/** Elements of a box that follow one another in the tensor as they do in the box. */
export interface Run {
  /** Position of the first element in the box. */
  readonly inPiece: number;
  /** Position of the same element in the tensor. */
  readonly inTensor: number;
  /** Number of elements. */
  readonly length: number;
}

/**
 * Yields the runs of elements `[from, until)` of a box, in order: rows of the box, or several rows at once if
 * the box has all columns.
 */
export function* runsOf(
  piece: Pick<Piece, "offsets" | "sizes">,
  shape: readonly number[],
  from: number,
  until: number,
): Generator<Run> {
  const { offsets, sizes } = piece;
  const strides = stridesOf(shape);
  const inner = stridesOf(sizes);
  // Axes after the last one that the box does not have in full lie together in both.
  let last = shape.length - 1;
  while (last > 0 && sizes[last] === shape[last]) last--;
  const row = shape.length === 0 ? 1 : at(sizes, last, "axis") * at(inner, last, "axis");
  for (let begin = from; begin < until; ) {
    const start = begin - (begin % row);
    let inTensor = begin - start;
    let rest = start;
    for (let axis = 0; axis < shape.length; axis++) {
      const step = at(inner, axis, "axis");
      inTensor += (Math.floor(rest / step) + at(offsets, axis, "axis")) * at(strides, axis, "axis");
      rest %= step;
    }
    const end = Math.min(start + row, until);
    yield { inPiece: begin, inTensor, length: end - begin };
    begin = end;
  }
}

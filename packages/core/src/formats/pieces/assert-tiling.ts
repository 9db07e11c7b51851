import { at } from "../../invariant.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { formatErrors } from "../format-errors.ts";
import type { Piece } from "./piece.ts";

/** Most pieces of one tensor: one for each process of a large run, and some more. */
export const MAX_PIECES = 8_192;

/** A tensor that is put together, for messages: its format, the file or folder, its name and shape. */
export interface TiledTensor {
  /** Name of the format, for errors. */
  readonly format: string;
  /** Path of the folder or file. */
  readonly source: string;
  /** Name of the tensor. */
  readonly name: string;
  /** Extents of the tensor, outermost first. */
  readonly shape: readonly number[];
}

/**
 * Checks that boxes cover a tensor, each element once.
 * @throws FormatError if a box lies outside the tensor, two boxes share elements, elements are in no box, or
 *   there are too many boxes
 */
export function assertTiling(tensor: TiledTensor, pieces: readonly Piece[]): void {
  const { format, source, name, shape } = tensor;
  const fail = (problem: string) =>
    formatErrors(format)(source, `"${name}" ${formatShape(shape)} ${problem}`);
  if (pieces.length > MAX_PIECES)
    throw fail(`may be stored in at most ${MAX_PIECES} pieces: it is in ${pieces.length}`);
  let total = 0;
  for (const piece of pieces) {
    if (!isWithin(piece, shape)) throw fail(`must hold its pieces: ${describe(piece)} is not within it`);
    total += sizeOf(piece.sizes);
  }
  const pair = findOverlap(pieces.filter(({ sizes }) => !sizes.includes(0)));
  if (pair !== undefined)
    throw fail(
      `must not have two pieces for one place: ${describe(pair[0])} and ${describe(pair[1])} overlap`,
    );
  if (total !== sizeOf(shape)) {
    throw fail(
      `must have a piece for each element: ${pieces.length} pieces hold ${total} of ${sizeOf(shape)}; a file of a process may be missing`,
    );
  }
}

function describe({ origin, offsets, sizes }: Piece): string {
  return `the piece ${formatShape(sizes)} from ${formatShape(offsets)} in "${origin}"`;
}

function isWithin({ offsets, sizes }: Piece, shape: readonly number[]): boolean {
  return (
    offsets.length === shape.length &&
    sizes.length === shape.length &&
    shape.every((extent, axis) => at(offsets, axis) + at(sizes, axis) <= extent)
  );
}

/** Finds two boxes that share elements: only boxes that share rows are compared. */
function findOverlap(pieces: readonly Piece[]): readonly [Piece, Piece] | undefined {
  const sorted = [...pieces].sort((a, b) => rowsOf(a).begin - rowsOf(b).begin);
  for (const [i, a] of sorted.entries()) {
    const { end } = rowsOf(a);
    for (let j = i + 1; j < sorted.length; j++) {
      const b = at(sorted, j, "piece");
      if (rowsOf(b).begin >= end) break;
      if (overlap(a, b)) return [a, b];
    }
  }
  return undefined;
}

/** Returns the rows of the tensor that a box takes; a scalar counts as one row. */
function rowsOf({ offsets, sizes }: Piece): { readonly begin: number; readonly end: number } {
  const [begin = 0] = offsets;
  const [size = 1] = sizes;
  return { begin, end: begin + size };
}

function overlap(a: Piece, b: Piece): boolean {
  return a.offsets.every((begin, axis) => {
    const other = at(b.offsets, axis);
    return begin < other + at(b.sizes, axis) && other < begin + at(a.sizes, axis);
  });
}

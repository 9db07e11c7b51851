import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { entry } from "../../invariant.ts";
import { MAX_TENSORS } from "../../io/limits.ts";
import { DTYPES, type TensorData } from "../../tensor/dtype.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";
import { assertTiling } from "./assert-tiling.ts";
import { countBefore, type Piece, runsOf } from "./piece.ts";

/** A tensor whose elements are stored in boxes, or as one flat sequence of parts. */
export interface JoinedTensor extends TensorInfo {
  /** Boxes that together cover the tensor, each element once. */
  readonly pieces: readonly Piece[];
}

/** Tensors in pieces, and the files that hold them. */
export interface JoinedParts {
  /** Name of the format, for errors: `dcp`, `zero`. */
  readonly format: string;
  /** Path of the folder or file, for messages. */
  readonly source: string;
  /** Tensors by name, in order. */
  readonly tensors: ReadonlyMap<string, JoinedTensor>;
  /** Paths of all files that are read. */
  readonly files: readonly string[];
  /** Closes all files. */
  readonly close: () => Promise<void>;
}

/**
 * Makes a checkpoint of tensors that several processes stored in pieces. A range of a tensor is read by one
 * read of each piece that has elements of it.
 * @throws FormatError if there are no tensors, or the pieces of a tensor do not cover it, each element once
 */
export function defineJoinedCheckpoint(parts: JoinedParts): Checkpoint {
  const { format, source, tensors, files, close } = parts;
  if (tensors.size === 0 || tensors.size > MAX_TENSORS) {
    throw formatErrors(format)(
      source,
      `there must be 1 to ${MAX_TENSORS} tensors: there are ${tensors.size}`,
    );
  }
  for (const [name, { shape, pieces }] of tensors) assertTiling({ format, source, name, shape }, pieces);
  return defineCheckpoint({
    source,
    tensors: new Map([...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    files,
    async readInto(name, begin, out) {
      const tensor = entry(tensors, name, "tensor");
      for (const piece of tensor.pieces) await readPiece(tensor, piece, begin, out);
    },
    close,
  });
}

/** Fills those elements of `out`, a range of a tensor from `begin` on, that a piece holds. */
async function readPiece(
  { dtype, shape }: TensorInfo,
  piece: Piece,
  begin: number,
  out: TensorData,
): Promise<void> {
  const from = countBefore(piece, shape, begin);
  const until = countBefore(piece, shape, begin + out.length);
  if (from >= until) return;
  const [first] = runsOf(piece, shape, from, until);
  if (first?.length === until - from) {
    const place = first.inTensor - begin;
    return piece.read(from, out.subarray(place, place + first.length));
  }
  const { array } = DTYPES[dtype];
  const data = new array(until - from);
  await piece.read(from, data);
  for (const { inPiece, inTensor, length } of runsOf(piece, shape, from, until)) {
    const run = data.subarray(inPiece - from, inPiece - from + length);
    (out as Uint8Array).set(run as Uint8Array, inTensor - begin);
  }
}

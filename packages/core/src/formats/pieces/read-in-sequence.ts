import type { TensorData } from "../../tensor/dtype.ts";
import type { ReadPart } from "./piece.ts";

/** A part of a flat sequence of elements. */
export interface Part {
  /** Number of elements. */
  readonly length: number;
  /** Reads elements of the part. */
  readonly read: ReadPart;
}

/** Makes a function that reads parts that follow one another as one sequence of elements. */
export function readInSequence(parts: readonly Part[]): ReadPart {
  return async (begin: number, out: TensorData) => {
    let start = 0;
    for (const { length, read } of parts) {
      const from = Math.max(begin, start);
      const until = Math.min(begin + out.length, start + length);
      if (from < until) await read(from - start, out.subarray(from - begin, until - begin));
      start += length;
    }
  };
}

import { borrowScratch, kernelMemory, startKernels } from "@isthmus/core";
import { type Kernels, readCode } from "../../wasm/exponential-sums.mjs";

/** Sums of exponentials of some rows of logits. */
export interface ExponentialSums {
  /** Index of the first largest logit of each row; 0 if the first logit is NaN. */
  readonly bests: Int32Array;
  /** Sum of `exp((logit - largest) * scale)` over each row, in f64 and in order. */
  readonly sums: Float64Array;
}

/** Bytes of scratch, of which there are pieces of up to a megabyte. */
const SCRATCH_BYTES = 2 ** 18;

/** Bytes that a row needs beside its logits. */
const RESULT_BYTES = 12;

/** Returns how many rows are summed at a time, at least one. */
export function rowsAtATime(classes: number): number {
  return Math.max(1, Math.floor(SCRATCH_BYTES / (4 * classes + RESULT_BYTES)));
}

let kernels: Kernels | undefined;

/**
 * Sums exponentials of rows of logits, by WebAssembly SIMD if the runtime has it. That computes every
 * exponential as V8 computes `Math.exp`, so that results do not depend on it there.
 *
 * @param logits - `[rows, classes]`, row-major, of at most {@link rowsAtATime} rows
 * @param scale - number by which differences of logits are multiplied, above 0
 */
export function sumExponentials(logits: Float32Array, classes: number, scale: number): ExponentialSums {
  const rows = logits.length / classes;
  const scratch = borrowScratch(Math.max(SCRATCH_BYTES, (4 * classes + RESULT_BYTES) * rows));
  try {
    const { buffer, byteOffset } = scratch.bytes;
    const memory = kernelMemory();
    if (memory === undefined || buffer !== memory.buffer) return sumPlainly(logits, classes, scale);
    kernels ??= startKernels<Kernels>(readCode, { memory });
    const sums = new Float64Array(buffer, byteOffset, rows);
    const bests = new Int32Array(buffer, byteOffset + 8 * rows, rows);
    const copy = new Float32Array(buffer, byteOffset + RESULT_BYTES * rows, logits.length);
    copy.set(logits);
    kernels.sumExponentials(copy.byteOffset, rows, classes, scale, sums.byteOffset, bests.byteOffset);
    return { sums: sums.slice(), bests: bests.slice() };
  } finally {
    scratch.release();
  }
}

/** Does the work of {@link sumExponentials} in plain loops. */
export function sumPlainly(logits: Float32Array, classes: number, scale: number): ExponentialSums {
  const rows = logits.length / classes;
  const sums = new Float64Array(rows);
  const bests = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const best = indexOfMax(row);
    const max = row[best]!;
    let sum = 0;
    for (const logit of row) sum += Math.exp((logit - max) * scale);
    sums[i] = sum;
    bests[i] = best;
  }
  return { sums, bests };
}

function indexOfMax(row: Float32Array): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
  return best;
}

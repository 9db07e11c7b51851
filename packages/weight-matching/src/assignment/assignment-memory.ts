import { OutOfRangeError } from "@isthmus/core";

/** Most bytes that WebAssembly can address: 65,536 pages of 64 KiB. */
const MAX_BYTES = 2 ** 32 - 2 ** 16;

/** Bytes of a page of WebAssembly memory. */
const PAGE = 2 ** 16;

/**
 * Columns handled together by the kernel (`BLOCK` in kernels/assignment/layout.ts): rows are padded to whole
 * blocks.
 */
const BLOCK = 32;

/**
 * Bytes for each row beside the matrix: candidate lists (64 entries of 8 bytes), queues, bounds, heap;
 * measured 600, rounded up.
 */
const BYTES_PER_ROW = 640;

/** Bytes for each column beside the matrix: prices, owners, distances, heap; measured 90, rounded up. */
const BYTES_PER_COLUMN = 128;

/** Bytes staged by the first pass (`STAGE_BYTES` in kernels/assignment/layout.ts); at least one row. */
const STAGE_BYTES = 2 ** 17;

/**
 * Computes the bytes that a solve of [rows, columns] needs, at least as many as the kernel itself computes.
 */
export function bytesForAssignment(rows: number, columns: number): number {
  const short = Math.min(rows, columns);
  const long = Math.max(rows, columns);
  const padded = Math.ceil(long / BLOCK) * BLOCK;
  const source = rows > columns ? rows * columns * 4 : 0;
  return (
    short * padded * 4 +
    source +
    short * BYTES_PER_ROW +
    padded * BYTES_PER_COLUMN +
    STAGE_BYTES +
    padded * 4 +
    2 * PAGE
  );
}

/**
 * Checks that a problem fits the memory before anything is allocated.
 * @throws OutOfRangeError if it does not.
 */
export function assertFitsMemory(rows: number, columns: number): void {
  const bytes = bytesForAssignment(rows, columns);
  if (bytes <= MAX_BYTES) return;
  throw new OutOfRangeError(
    `Cannot solve an assignment of ${rows} x ${columns} as its matrix and lists must fit 4 GiB: they need ${(bytes / 2 ** 30).toFixed(1)} GiB; split the matrix`,
  );
}

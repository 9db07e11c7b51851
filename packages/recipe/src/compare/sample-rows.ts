import { type Random, sizeOf } from "@isthmus/core";

/** Rows that are read from a tensor, which is seen as a matrix `[rows, columns]`. */
export interface RowBlock {
  /** Position of the first row. */
  readonly first: number;
  /** Number of rows that are read. */
  readonly rows: number;
  /** Distance in rows from one row that is read to the next; 1 for neighbouring rows. */
  readonly step: number;
  /** Position of the first column. */
  readonly column: number;
  /** Number of columns of each row that are read. */
  readonly width: number;
}

/** Shape of a tensor as a matrix; leading axes of size 1 are left out. */
export interface MatrixShape {
  /** Length of the first axis that is longer than 1; 1 for a vector. */
  readonly rows: number;
  /** Product of the other axes; the length of a vector. */
  readonly columns: number;
}

/** Number of rows in one block, which suffice to subtract the means of columns. */
const BLOCK_ROWS = 8;
/** Fewest and most blocks of a tensor that are read. */
const [FEWEST_BLOCKS, MOST_BLOCKS] = [2, 8];
/**
 * Number of blocks of a network that are read, if each tensor may have so many: a browser takes as long for
 * one block as for a megabyte, and many tensors show a whole network by few blocks of each.
 */
const BLOCKS = 512;
/** Least number of columns of a row that is read in part. */
const LEAST_WIDTH = 64;
/** Number of elements that are held at a time when a tensor is read whole. */
const CHUNK = 1 << 19;

/** Returns a tensor's shape as a matrix; a vector is one row. */
export function matrixShape(shape: readonly number[]): MatrixShape {
  const sizes = shape.slice(shape.findIndex((size) => size !== 1));
  if (shape.every((size) => size === 1)) return { rows: 1, columns: 1 };
  const [rows = 1, ...rest] = sizes;
  if (rest.length === 0) return { rows: 1, columns: rows };
  return { rows, columns: sizeOf(rest) };
}

/**
 * Chooses the rows of a matrix that are read. A small matrix is read whole. A large one is divided into equal
 * parts, each of which gives a block of neighbouring rows; if rows are long, pieces of distant rows are read
 * instead.
 * @param most - number of elements that may be read
 * @param blocks - most parts that are read of a large matrix
 */
export function sampleRows(
  { rows, columns }: MatrixShape,
  most: number,
  random: Random,
  blocks: number = MOST_BLOCKS,
): RowBlock[] {
  if (rows * columns === 0) return [];
  if (rows * columns <= most) return wholeMatrix(rows, columns);
  const count = Math.min(rows, BLOCK_ROWS);
  if (count * columns <= most) return neighbouringRows({ rows, columns }, most, random, blocks);
  const width = Math.min(columns, Math.max(LEAST_WIDTH, Math.floor(most / count)));
  const step = Math.floor(rows / count);
  const first = random.integer(rows - step * (count - 1));
  return [{ first, rows: count, step, column: random.integer(columns - width + 1), width }];
}

function wholeMatrix(rows: number, columns: number): RowBlock[] {
  const count = Math.max(BLOCK_ROWS, Math.floor(CHUNK / columns));
  const blocks: RowBlock[] = [];
  for (let first = 0; first < rows; ) {
    // A last block of few rows would say little about them.
    const left = rows - first;
    const taken = left < count + BLOCK_ROWS ? left : count;
    blocks.push({ first, rows: taken, step: 1, column: 0, width: columns });
    first += taken;
  }
  return blocks;
}

function neighbouringRows(
  { rows, columns }: MatrixShape,
  most: number,
  random: Random,
  blocks: number,
): RowBlock[] {
  const affordable = Math.floor(most / columns);
  const count = Math.max(1, Math.min(blocks, Math.floor(affordable / BLOCK_ROWS)));
  const length = Math.floor(affordable / count);
  const part = Math.floor(rows / count);
  return Array.from({ length: count }, (_, i) => ({
    first: i * part + random.integer(part - length + 1),
    rows: length,
    step: 1,
    column: 0,
    width: columns,
  }));
}

/** Returns the most blocks to read of each tensor of a network of so many tensors. */
export function shareBlocks(tensors: number): number {
  return Math.min(MOST_BLOCKS, Math.max(FEWEST_BLOCKS, Math.floor(BLOCKS / tensors)));
}

/**
 * Returns the most elements to read of each tensor so that all together are within a budget: small tensors
 * are read whole, and the rest of the budget is shared evenly among the large ones.
 */
export function shareBudget(sizes: readonly number[], budget: number): number {
  let [left, count] = [budget, sizes.length];
  for (const size of [...sizes].sort((a, b) => a - b)) {
    if (size * count > left) return Math.floor(left / count);
    left -= size;
    count--;
  }
  return Number.POSITIVE_INFINITY;
}

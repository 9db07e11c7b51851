import { at, borrowScratch } from "@isthmus/core";
import { type Kernels, kernelsIn } from "./load-kernels.ts";
import { sortingNetwork } from "./sorting-network.ts";

/** The values that all points have at some elements, sorted at each element by itself. */
export interface SortedRows {
  /**
   * The smallest value at each element in the first row, the next larger one in the second, and so on,
   * `[points][elements]`. The arrays are reused for the next elements: values must be read before the
   * callback returns.
   */
  readonly rows: readonly Float64Array[];
  /** Position of the first of these elements among all. */
  readonly begin: number;
}

/**
 * Largest number of bytes of the rows that are sorted together, so that they stay in the second-level cache
 * of a processor, and number of bytes of the scratch memory that holds them.
 */
const [ROW_BYTES, SCRATCH_BYTES] = [2 ** 18, 2 ** 20];

/**
 * Largest number of elements that are sorted together, and the number that the kernel takes in one step, of
 * which it is a multiple.
 */
const [MOST, GROUP] = [1024, 4];

/**
 * Sorts the values that all points have at each element, and hands them over, some elements at a time.
 *
 * A fixed list of comparisons, a sorting network, sorts any numbers; so several elements can be sorted by
 * the same instructions (SIMD), and nothing in the program depends on the numbers: 50 points take 403
 * comparisons. Without SIMD, or with more points than the memory of the kernel holds, each element is sorted
 * by itself.
 * @param values - `[points][elements]`, at least one point
 */
export function forSortedRows(values: readonly Float64Array[], use: (sorted: SortedRows) => void): void {
  const pairs = networkOf(values.length);
  const room = Math.min(ROW_BYTES, SCRATCH_BYTES - pairs.byteLength);
  const block = Math.min(MOST, Math.floor(room / (8 * GROUP * values.length)) * GROUP);
  const scratch = borrowScratch(SCRATCH_BYTES);
  try {
    const loaded = block < GROUP ? undefined : kernelsIn(scratch.bytes);
    if (loaded === undefined) sortByElement(values, use);
    else sortByNetwork(values, { pairs, block, use, kernels: loaded, bytes: scratch.bytes });
  } finally {
    scratch.release();
  }
}

interface NetworkRun {
  readonly pairs: Uint32Array;
  readonly block: number;
  readonly use: (sorted: SortedRows) => void;
  readonly kernels: Kernels;
  readonly bytes: Uint8Array;
}

function sortByNetwork(
  values: readonly Float64Array[],
  { pairs, block, use, kernels, bytes }: NetworkRun,
): void {
  const { buffer, byteOffset } = bytes;
  new Uint32Array(buffer, byteOffset, pairs.length).set(pairs);
  const first = byteOffset + pairs.byteLength;
  const rows = values.map((_, k) => new Float64Array(buffer, first + 8 * block * k, block));
  const { length } = at(values, 0);
  for (let begin = 0; begin < length; begin += block) {
    // The last rows may be shorter: old values behind their end are sorted with them, and never read.
    for (const [k, row] of rows.entries()) row.set(at(values, k).subarray(begin, begin + block));
    kernels.orderPairs(first, 8 * block, byteOffset, pairs.length / 2);
    const count = Math.min(block, length - begin);
    use({ rows: count === block ? rows : rows.map((row) => row.subarray(0, count)), begin });
  }
}

function sortByElement(values: readonly Float64Array[], use: (sorted: SortedRows) => void): void {
  const rows = values.map(() => new Float64Array(1));
  const column = new Float64Array(values.length);
  for (let begin = 0; begin < at(values, 0).length; begin++) {
    for (const [k, one] of values.entries()) column[k] = at(one, begin);
    column.sort();
    for (const [k, row] of rows.entries()) row[0] = at(column, k);
    use({ rows, begin });
  }
}

let network = sortingNetwork(1);
let points = 1;

/**
 * Returns the sorting network for a number of points, and remembers it: most rounds have as many points as
 * the round before.
 */
function networkOf(count: number): Uint32Array {
  if (count !== points) [network, points] = [sortingNetwork(count), count];
  return network;
}

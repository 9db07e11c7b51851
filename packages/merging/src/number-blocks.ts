import { at, borrowScratch, convertInto, DTYPES, type Elements, viewData } from "@isthmus/core";
import { withBlockMemory } from "./kernels/block-memory.ts";

/** Elements of a block as plain numbers, for the kernels of this package. */
export type Numbers = Float32Array | Float64Array;

/** Number of elements of a block, so small that blocks of several networks stay in the cache. */
const BLOCK = 1 << 14;

/**
 * Converts stored elements to plain numbers block by block: f32, or f64 if any array is f64.
 * @param parts - at least one array, all of one length
 * @param use - called with one block of each part and the position of its first element; blocks are only
 *   valid during the call
 */
export function eachBlock(
  parts: readonly Elements[],
  use: (blocks: readonly [Numbers, ...Numbers[]], begin: number) => void,
): void {
  const dtype = parts.some((part) => part.dtype === "f64") ? "f64" : "f32";
  const size = at(parts, 0, "part").data.length;
  const lent = parts.map(() => borrowScratch(Math.min(BLOCK, size) * DTYPES[dtype].bytes));
  try {
    const blocks = lent.map(({ bytes }) => viewData(dtype, bytes) as Numbers);
    for (let begin = 0; begin < size; begin += BLOCK) {
      const views = blocks.map((block) => block.subarray(0, size - begin));
      for (const [i, data] of views.entries()) {
        const part = at(parts, i);
        convertInto({ dtype: part.dtype, data: part.data.subarray(begin, begin + BLOCK) }, { dtype, data });
      }
      const [first, ...others] = views;
      if (first !== undefined) withBlockMemory(() => use([first, ...others], begin));
    }
  } finally {
    for (const scratch of lent) scratch.release();
  }
}

/**
 * Computes elements of `out` from stored elements block by block, and rounds each block once to the type of
 * `out`.
 * @param compute - writes the result over the first block
 */
export function computeBlocks(
  parts: readonly Elements[],
  out: Elements,
  compute: (blocks: readonly [Numbers, ...Numbers[]], begin: number) => void,
): void {
  eachBlock(parts, (blocks, begin) => {
    compute(blocks, begin);
    const [data] = blocks;
    const target = { dtype: out.dtype, data: out.data.subarray(begin, begin + data.length) };
    convertInto({ dtype: data instanceof Float64Array ? "f64" : "f32", data }, target);
  });
}

import { convertInto, type Elements, sizeOf } from "@isthmus/core";
import { withRanges } from "@isthmus/interpolation";
import { allocateUnset } from "../kernels/block-memory.ts";
import type { Numbers } from "../kernels/task-vectors.ts";
import type { MergedRange } from "../merge-method.ts";
import { BLOCK, type DeltaBlock, forEachDeltas, type StoredRange } from "./delta-blocks.ts";
import { alignedDown, baseOf, type ScannedTensor, wholeRows } from "./scan-deltas.ts";

/** A range of a merged tensor that is computed. */
export type WrittenRange = Pick<MergedRange, "begin" | "parts" | "base"> & { readonly tensor: ScannedTensor };

/** Computes the result of one block of task vectors, which it may overwrite. */
export type WriteBlock = (block: DeltaBlock, out: Numbers) => void;

/**
 * Computes a range of a merged tensor from its task vectors, block by block.
 * @param rowLength - length of rows, of which blocks contain whole ones: the missing elements of the first
 *   and the last row are read again; undefined if blocks may be cut anywhere
 */
export async function writeDeltas(
  range: WrittenRange,
  out: Elements,
  write: WriteBlock,
  rowLength?: number,
): Promise<void> {
  const { tensor, begin, parts, base } = range;
  const end = begin + out.data.length;
  const rows = rowLength ?? 1;
  const first = alignedDown(begin, rows);
  const last = Math.min(alignedDown(end + rows - 1, rows), sizeOf(tensor.info.shape));
  const run = (stored: StoredRange) => writeBlocks(stored, { begin, out }, write, wholeRows(BLOCK, rows));
  if (first === begin && last === end && base !== undefined) {
    run({ begin, parts, base });
    return;
  }
  const inputs = [...tensor.networks, baseOf(tensor)];
  await withRanges(inputs, { name: tensor.name, begin: first, length: last - first }, (all) => {
    const ofBase = all[parts.length];
    if (ofBase !== undefined) run({ begin: first, parts: all.slice(0, parts.length), base: ofBase });
  });
}

function writeBlocks(
  stored: StoredRange,
  { begin, out }: { readonly begin: number; readonly out: Elements },
  write: WriteBlock,
  length: number,
): void {
  const isWide = [...stored.parts, stored.base].some(({ dtype }) => dtype === "f64");
  forEachDeltas(stored, length, (block) => {
    const count = block.length;
    const result = allocateUnset(isWide, count);
    write(block, result);
    const from = Math.max(begin, block.begin);
    const until = Math.min(begin + out.data.length, block.begin + count);
    if (from >= until) return;
    convertInto(
      { dtype: isWide ? "f64" : "f32", data: result.subarray(from - block.begin, until - block.begin) },
      { dtype: out.dtype, data: out.data.subarray(from - begin, until - begin) },
    );
  });
}

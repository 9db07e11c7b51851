import { allocateData, asFloat32, at, type Checkpoint, entry } from "@isthmus/core";

/** Rows of a tensor that are read, in any order. */
export interface GatheredRows {
  /** Name of the tensor. */
  readonly name: string;
  /** Number of elements of a row. */
  readonly inner: number;
  /** Positions of the rows. */
  readonly rows: Int32Array;
}

/** Number of rows between two that are needed up to which all are read at once. */
const GAP = 16;

/** Number of elements that are read at once. */
const SPAN = 2 ** 20;

/**
 * Reads rows of a tensor into one matrix of f32. Rows that are near each other and in rising order are read
 * at once.
 * @returns `[rows, inner]`
 */
export async function gatherRows(
  checkpoint: Checkpoint,
  { name, inner, rows }: GatheredRows,
): Promise<Float32Array> {
  const { dtype } = entry(checkpoint.tensors, name, "tensor");
  const out = new Float32Array(rows.length * inner);
  const most = Math.max(1, Math.floor(SPAN / Math.max(1, inner)));
  for (let i = 0; i < rows.length; ) {
    const first = at(rows, i);
    let end = i + 1;
    while (end < rows.length) {
      const [before, row] = [at(rows, end - 1), at(rows, end)];
      if (row <= before || row - before > GAP || row - first >= most) break;
      end++;
    }
    const data = allocateData(dtype, (at(rows, end - 1) + 1 - first) * inner);
    await checkpoint.readRangeInto(name, first * inner, data);
    const numbers = asFloat32(data, dtype);
    for (; i < end; i++) {
      const begin = (at(rows, i) - first) * inner;
      out.set(numbers.subarray(begin, begin + inner), i * inner);
    }
  }
  return out;
}

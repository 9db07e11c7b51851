import {
  allocateData,
  type Checkpoint,
  entry,
  gatherInto,
  strideTable,
  type TensorData,
  viewBytes,
} from "@isthmus/core";

/** A tensor of a checkpoint, and the order in which it is read. */
export interface PermutedTensor {
  /** Checkpoint from which elements are read. */
  readonly checkpoint: Checkpoint;
  /** Name of the tensor within the checkpoint. */
  readonly name: string;
  /** Offsets into the tensor for consecutive runs of its axes, outermost first; see `axisTables`. */
  readonly tables: readonly Int32Array[];
}

/** Cost of reading one more stretch of a file, in bytes that could be read in the same time. */
const STRETCH_COST_BYTES = 1 << 15;

/** Fills `out` with elements `[begin, begin + out.length)` of a tensor in its new order. */
export async function readPermutedInto(
  tensor: PermutedTensor,
  begin: number,
  out: TensorData,
): Promise<void> {
  const [outer = Int32Array.of(0), ...inner] = tensor.tables;
  const row = inner.reduce((count, table) => count * table.length, 1);
  const firstRow = Math.floor(begin / row);
  const lastRow = Math.ceil((begin + out.length) / row);
  const rows = outer.subarray(firstRow, lastRow);
  const { data, offsets } = await readRows(tensor, rows, row, outer.length);
  const skipped = begin - firstRow * row;
  const whole = skipped === 0 && rows.length * row === out.length;
  const width = out.BYTES_PER_ELEMENT;
  const target = whole ? viewBytes(out) : new Uint8Array(rows.length * row * width);
  gatherElements(viewBytes(data), [offsets, ...inner], target, width);
  if (!whole) viewBytes(out).set(target.subarray(skipped * width, (skipped + out.length) * width));
}

interface Rows {
  readonly data: TensorData;
  /** Offset in `data` at which each requested row begins. */
  readonly offsets: Int32Array;
}

/**
 * Reads the rows that begin at some offsets: only these rows, in stretches of neighbours, unless they are so
 * scattered that reading the whole tensor is cheaper.
 */
async function readRows(
  { checkpoint, name }: PermutedTensor,
  rows: Int32Array,
  row: number,
  count: number,
): Promise<Rows> {
  const sorted = rows.slice().sort();
  const starts = sorted.filter((offset, i) => i === 0 || offset !== (sorted[i - 1] as number) + row);
  const info = checkpoint.tensors.get(name);
  const sample = info === undefined ? undefined : allocateData(info.dtype, 0);
  const bytes = row * (sample?.BYTES_PER_ELEMENT ?? 1);
  const selected = rows.length * bytes + starts.length * STRETCH_COST_BYTES;
  if (info === undefined || selected >= count * bytes) {
    return { data: (await checkpoint.read(name)).data, offsets: rows };
  }
  const data = allocateData(info.dtype, rows.length * row);
  const placeOf = new Map<number, number>();
  sorted.forEach((offset, place) => {
    placeOf.set(offset, place * row);
  });
  let begin = 0;
  for (const [i, start] of starts.entries()) {
    const next = starts[i + 1];
    const end = next === undefined ? data.length : entry(placeOf, next, "row");
    await checkpoint.readRangeInto(name, start, data.subarray(begin, end));
    begin = end;
  }
  return { data, offsets: rows.map((offset) => entry(placeOf, offset, "row")) };
}

/** Gathers elements of 1, 2, 4 or 8 bytes as plain bits. */
function gatherElements(
  source: Uint8Array,
  tables: readonly Int32Array[],
  out: Uint8Array,
  width: number,
): void {
  if (width === 1) {
    gatherInto(source, tables, out);
  } else if (width === 2) {
    gatherInto(
      new Uint16Array(source.buffer, source.byteOffset, source.length / 2),
      tables,
      new Uint16Array(out.buffer, out.byteOffset, out.length / 2),
    );
  } else {
    // Elements of 8 bytes are moved as two halves.
    const words = width / 4;
    const halves = [...tables.map((table) => table.map((offset) => offset * words)), strideTable(words, 1)];
    gatherInto(
      new Int32Array(source.buffer, source.byteOffset, source.length / 4),
      words === 1 ? tables : halves,
      new Int32Array(out.buffer, out.byteOffset, out.length / 4),
    );
  }
}

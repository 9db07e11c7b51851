import {
  type Checkpoint,
  convertInto,
  DTYPES,
  type DType,
  entry,
  type TensorData,
  toFloat64,
} from "@isthmus/core";

/** Rows of a stored matrix at a place in a larger one. */
export interface MatrixBlock {
  /** Stored matrix, by its name. */
  readonly key: string;
  /** First row in the stored matrix. */
  readonly from: number;
  /** Number of rows. */
  readonly count: number;
  /** Number of columns of the stored matrix. */
  readonly width: number;
  /** Row of the first element in the larger matrix. */
  readonly row: number;
  /** Column of the first element in the larger matrix. */
  readonly column: number;
  /** Factor by which the elements are multiplied. */
  readonly factor: number;
}

/** A matrix of blocks of stored matrices, with zeros between them. */
export interface BlockMatrix {
  /** Element type. */
  readonly dtype: DType;
  /** Number of columns. */
  readonly columns: number;
  /** Blocks, which do not overlap. */
  readonly blocks: readonly MatrixBlock[];
}

/**
 * Fills `out` with elements of a matrix of blocks, from element `begin` on. Blocks of the matrix's own type
 * that have all of its columns and the factor 1 are copied bit for bit.
 */
export async function readBlocks(
  checkpoint: Checkpoint,
  { dtype, columns, blocks }: BlockMatrix,
  begin: number,
  out: TensorData,
): Promise<void> {
  const end = begin + out.length;
  if (blocks.some(({ width }) => width < columns) || blocks.length === 0) (out as Uint8Array).fill(0);
  for (const block of blocks) {
    const { key, from, row, count, width, factor } = block;
    const stored = entry(checkpoint.tensors, key, "tensor").dtype;
    const first = Math.max(begin, row * columns);
    const last = Math.min(end, (row + count) * columns);
    if (first >= last) continue;
    if (width === columns && factor === 1 && stored === dtype) {
      const part = out.subarray(first - begin, last - begin);
      await checkpoint.readRangeInto(key, first + (from - row) * columns, part);
      continue;
    }
    const [top, bottom] = [Math.floor(first / columns), Math.ceil(last / columns)];
    const place = (from - row) * width;
    const data = toFloat64(
      await checkpoint.readRange(key, place + top * width, place + bottom * width),
      stored,
    );
    const converted = new DTYPES[dtype].array(data.length);
    convertInto(
      { dtype: "f64", data: factor === 1 ? data : data.map((x) => factor * x) },
      { dtype, data: converted },
    );
    for (let i = top; i < bottom; i++) copyRow(converted, { block, columns, i, top, begin, out });
  }
}

/** Copies a row of a block to the elements that are asked for. */
function copyRow(
  data: TensorData,
  {
    block,
    columns,
    i,
    top,
    begin,
    out,
  }: {
    readonly block: MatrixBlock;
    readonly columns: number;
    readonly i: number;
    readonly top: number;
    readonly begin: number;
    readonly out: TensorData;
  },
): void {
  const { width, column } = block;
  const start = i * columns + column;
  const [first, last] = [Math.max(start, begin), Math.min(start + width, begin + out.length)];
  if (first >= last) return;
  const source = (i - top) * width - start;
  (out as Uint8Array).set((data as Uint8Array).subarray(source + first, source + last), first - begin);
}

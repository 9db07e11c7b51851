import {
  allocateData,
  at,
  type Checkpoint,
  convertInto,
  type DType,
  entry,
  sizeOf,
  type TensorData,
  toFloat64,
} from "@isthmus/core";
import type { RowFill } from "./token-rows.ts";

/** Sources of the rows of one tensor of one network whose vocabulary is put in another order. */
export interface RowTable {
  /** Name of the tensor, in all networks. */
  readonly name: string;
  /** All networks of the merge, from which rows are filled. */
  readonly networks: readonly Checkpoint[];
  /** Position of the network among `networks`. */
  readonly position: number;
  /** `[tokens]`: row of the network for each token, or -1 if the network has none. */
  readonly rows: Int32Array;
  /** Sources of the rows of tokens that the network lacks, by id. */
  readonly fills: ReadonlyMap<number, RowFill>;
  /** Element type that rows are converted to. */
  readonly dtype: DType;
  /** Shape of the tensor in the result. */
  readonly shape: readonly number[];
  /** The axis that counts tokens. */
  readonly axis: number;
  /** Number of rows of the tensor by the position of the network, without networks that lack the tensor. */
  readonly sizes: ReadonlyMap<number, number>;
  /** Checks whether an id belongs to a token; rows of other ids are padding. */
  readonly isToken: (id: number) => boolean;
}

/** Part of a row of padding. */
interface PaddingRange {
  /** Flat position on the axes before the axis of tokens. */
  readonly outer: number;
  /** First element of the row that is read. */
  readonly offset: number;
  readonly out: TensorData;
}

/** Rows without a token, which equal the mean of the rows of all tokens. */
export interface Padding {
  /** Fills `out` with elements of the mean row. The first call reads all rows of tokens, range by range. */
  readonly readInto: (range: PaddingRange) => Promise<void>;
}

/** A range of a tensor in the new order. */
export interface RowRange {
  /** Flat position of the first element. */
  readonly begin: number;
  /** Memory that the range is written to; its length is the number of elements. */
  readonly out: TensorData;
  /** Rows of ids without a token. */
  readonly padding: Padding;
}

/** Largest number of elements that are read at once when only some of them are needed. */
const SPAN = 2 ** 16;

/**
 * Fills a range of a tensor whose rows were put in another order. Rows that are neighbours in the network as
 * well are read at once, so that an unchanged vocabulary costs no more than reading the tensor.
 */
export async function readRows(table: RowTable, { begin, out, padding }: RowRange): Promise<void> {
  const { inner, size } = measureTable(table);
  const end = begin + out.length;
  for (let position = begin; position < end; ) {
    const outer = Math.floor(position / (size * inner));
    const stop = Math.min(end, (outer + 1) * size * inner);
    const slice = out.subarray(position - begin, stop - begin) as TensorData;
    const first = position - outer * size * inner;
    if (!(await readSpan(table, { outer, first, out: slice, padding }))) {
      await readRuns(table, { outer, first, out: slice, padding });
    }
    position = stop;
  }
}

/**
 * Returns the number of elements of one row, over the axes after the axis of tokens, and the number of rows.
 */
export function measureTable({ shape, axis }: RowTable): { readonly inner: number; readonly size: number } {
  return { inner: sizeOf(shape.slice(axis + 1)), size: at(shape, axis) };
}

/** A range of elements at one position on the axes before the axis of tokens. */
interface Slice {
  readonly outer: number;
  /** Position of the first element, counted from the first row. */
  readonly first: number;
  readonly out: TensorData;
  readonly padding: Padding;
}

/**
 * Reads single elements, such as the elements of a bias, by one read of the span that contains all of them.
 * @returns false if nothing was read, because the span is too long or rows come from elsewhere
 */
async function readSpan(table: RowTable, { outer, first, out }: Slice): Promise<boolean> {
  const { inner } = measureTable(table);
  if (inner !== 1 || first + out.length > table.rows.length) return false;
  const rows = table.rows.subarray(first, first + out.length);
  let least = Number.POSITIVE_INFINITY;
  let most = -1;
  for (const row of rows) {
    if (row < 0) return false;
    if (row < least) least = row;
    if (row > most) most = row;
  }
  if (most + 1 - least > Math.max(SPAN, 2 * rows.length)) return false;
  const network = at(table.networks, table.position);
  const { dtype } = entry(network.tensors, table.name, "tensor");
  const stretch = allocateData(table.dtype, most + 1 - least);
  const start = outer * entry(table.sizes, table.position, "size") + least;
  await readConverted(network, {
    name: table.name,
    begin: start,
    out: stretch,
    dtype,
    outDType: table.dtype,
  });
  for (let i = 0; i < rows.length; i++) out[i] = at(stretch as Float32Array, at(rows, i) - least);
  return true;
}

/** Number of reads at a time when rows are read from different places. */
const AT_ONCE = 16;

async function readRuns(table: RowTable, slice: Slice): Promise<void> {
  const end = slice.first + slice.out.length;
  let reads: Promise<void>[] = [];
  for (let position = slice.first; position < end; ) {
    const stop = Math.min(endOfRun(table, position, end), end);
    reads.push(readRun(table, slice, { position, stop }));
    if (reads.length === AT_ONCE) {
      await Promise.all(reads);
      reads = [];
    }
    position = stop;
  }
  await Promise.all(reads);
}

/** Finds the end of the rows that are neighbours in the network as well. */
function endOfRun(table: RowTable, position: number, end: number): number {
  const { inner } = measureTable(table);
  const first = Math.floor(position / inner);
  const row = rowOf(table, first);
  let next = first + 1;
  if (row >= 0) while (next * inner < end && rowOf(table, next) === row + next - first) next++;
  return next * inner;
}

/** Returns the network's row of a token, or -1 for a token that it lacks and for padding. */
function rowOf({ rows }: RowTable, id: number): number {
  return id < rows.length ? at(rows, id) : -1;
}

async function readRun(
  table: RowTable,
  { outer, first, out, padding }: Slice,
  { position, stop }: { readonly position: number; readonly stop: number },
): Promise<void> {
  const { inner } = measureTable(table);
  const id = Math.floor(position / inner);
  const offset = position - id * inner;
  const row = rowOf(table, id);
  const target = out.subarray(position - first, stop - first) as TensorData;
  if (row >= 0) await readRow(table, { place: { network: table.position, row }, outer, offset, out: target });
  else if (table.isToken(id)) await readFill(table, { id, outer, offset, out: target });
  else await padding.readInto({ outer, offset, out: target });
}

interface RowRead {
  readonly place: RowFill[number];
  readonly outer: number;
  readonly offset: number;
  readonly out: TensorData;
}

/** Reads elements of a row of a network, or of several consecutive rows. */
async function readRow(table: RowTable, { place, outer, offset, out }: RowRead): Promise<void> {
  const { inner } = measureTable(table);
  const network = at(table.networks, place.network, "network");
  const { dtype } = entry(network.tensors, table.name, "tensor");
  const begin = (outer * entry(table.sizes, place.network, "size") + place.row) * inner + offset;
  await readConverted(network, { name: table.name, begin, out, dtype, outDType: table.dtype });
}

interface FillRead {
  readonly id: number;
  readonly outer: number;
  readonly offset: number;
  readonly out: TensorData;
}

/** Writes a row that the network lacks: zeros, the row of another network, or the mean of several. */
async function readFill(table: RowTable, { id, outer, offset, out }: FillRead): Promise<void> {
  const fill = entry(table.fills, id, "row");
  const [place, ...others] = fill;
  if (place !== undefined && others.length === 0) {
    await readRow(table, { place, outer, offset, out });
    return;
  }
  const sum = new Float64Array(out.length);
  for (const donor of fill) {
    const data = allocateData(table.dtype, out.length);
    await readRow(table, { place: donor, outer, offset, out: data });
    const numbers = toFloat64(data, table.dtype);
    for (let i = 0; i < sum.length; i++) sum[i] = at(sum, i) + at(numbers, i) / fill.length;
  }
  convertInto({ data: sum, dtype: "f64" }, { data: out, dtype: table.dtype });
}

interface ConvertedRead {
  readonly name: string;
  readonly begin: number;
  readonly out: TensorData;
  readonly dtype: DType;
  readonly outDType: DType;
}

async function readConverted(
  network: Checkpoint,
  { name, begin, out, dtype, outDType }: ConvertedRead,
): Promise<void> {
  if (dtype === outDType) return network.readRangeInto(name, begin, out);
  const data = allocateData(dtype, out.length);
  await network.readRangeInto(name, begin, data);
  convertInto({ data, dtype }, { data: out, dtype: outDType });
}

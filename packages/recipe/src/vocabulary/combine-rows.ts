import { at, type Checkpoint, convertInto, defineCheckpoint, entry, type TensorData } from "@isthmus/core";
import { createPadding } from "../models/padding-row.ts";
import { type Padding, type RowTable, readRows } from "../models/read-rows.ts";
import { gatherRows } from "./gather-rows.ts";

/** Linear combinations of a model's rows, one after the other. */
export interface RowCombinations {
  /** `[combinations + 1]`: position of the first row of each combination in the other two lists. */
  readonly offsets: Int32Array;
  /** Rows of the model. */
  readonly rows: Int32Array;
  /** Factor of each row. */
  readonly factors: Float32Array;
}

/** Sources of the rows of a new vocabulary in one tensor. */
export interface NewRows {
  /** `[tokens]`: row of the model that is copied; -1 for a token that is approximated or absent. */
  readonly rows: Int32Array;
  /** `[tokens]`: combination that gives the row; -1 for the model's mean row. */
  readonly slots: Int32Array;
  /** Combinations of the model's rows. */
  readonly combinations: RowCombinations;
}

/** A tensor with a row for each token, and its new rows. */
export interface ReplacedTensor extends NewRows {
  /** The axis that counts tokens; the axes before it have length 1. */
  readonly axis: number;
  /** Number of rows in the result. */
  readonly size: number;
  /** `[tokens]`: rows of the model over which its mean row is taken. */
  readonly tokenRows: Int32Array;
}

/** Bytes of the rows that are held at a time while combinations are computed. */
const HELD_BYTES = 2 ** 26;

/**
 * Puts new rows into tensors of a model, lazily: rows that the model has are copied bit by bit; others are
 * combinations of its rows, computed in f64 when they are read, or the mean of its rows.
 * @returns a view of the model; closing it does not close the model
 */
export function combineRows(model: Checkpoint, replaced: ReadonlyMap<string, ReplacedTensor>): Checkpoint {
  const tables = new Map([...replaced].map(([name, tensor]) => [name, tableOf(model, name, tensor)]));
  const tensors = new Map([...model.tensors]);
  for (const [name, { table }] of tables) tensors.set(name, { dtype: table.dtype, shape: table.shape });
  return defineCheckpoint({
    source: model.source,
    tensors,
    metadata: model.metadata,
    inputs: [model],
    async readInto(name, begin, out) {
      const tensor = replaced.get(name);
      if (tensor === undefined) return model.readRangeInto(name, begin, out);
      const { table, padding } = entry(tables, name, "tensor");
      await readRows(table, { begin, out, padding });
      await overwriteCombined(model, tensor, { table, begin, out });
    },
  });
}

function tableOf(
  model: Checkpoint,
  name: string,
  { rows, axis, size, tokenRows }: ReplacedTensor,
): { readonly table: RowTable; readonly padding: Padding } {
  const { dtype, shape } = entry(model.tensors, name, "tensor");
  const stored = {
    name,
    networks: [model],
    position: 0,
    fills: new Map(),
    dtype,
    axis,
    sizes: new Map([[0, at(shape, axis)]]),
  };
  // The mean is over all tokens of the model, not over the shared ones alone.
  const mean = { ...stored, rows: tokenRows, shape, isToken: (id: number) => id < tokenRows.length };
  return {
    table: { ...stored, rows, shape: shape.with(axis, size), isToken: () => false },
    padding: createPadding({ ...mean, shape: shape.with(axis, tokenRows.length) }),
  };
}

interface CombinedRange {
  readonly table: RowTable;
  readonly begin: number;
  readonly out: TensorData;
}

/** Overwrites the rows of a range that are combinations. */
async function overwriteCombined(
  model: Checkpoint,
  { slots, combinations }: ReplacedTensor,
  range: CombinedRange,
): Promise<void> {
  const { table, begin, out } = range;
  const inner = table.shape.slice(table.axis + 1).reduce((product, length) => product * length, 1);
  const last = Math.min(slots.length, Math.ceil((begin + out.length) / inner));
  const ids: number[] = [];
  for (let id = Math.floor(begin / inner); id < last; id++) if (at(slots, id) >= 0) ids.push(id);
  const most = Math.max(1, Math.floor(HELD_BYTES / (4 * inner)));
  for (let i = 0; i < ids.length; ) {
    const needed = new Set<number>();
    let end = i;
    while (end < ids.length && (end === i || needed.size < most)) {
      for (const row of rowsOf(combinations, at(slots, at(ids, end++)))) needed.add(row);
    }
    const rows = Int32Array.from(needed).sort();
    const places = new Map([...rows].map((row, k) => [row, k]));
    const held = { places, inner, data: await gatherRows(model, { name: table.name, inner, rows }) };
    for (; i < end; i++) {
      const id = at(ids, i);
      writePart(range, id * inner, combine(combinations, at(slots, id), held));
    }
  }
}

function rowsOf({ offsets, rows }: RowCombinations, slot: number): Int32Array {
  return rows.subarray(at(offsets, slot), at(offsets, slot + 1));
}

interface HeldRows {
  /** Positions of the rows in `data`. */
  readonly places: ReadonlyMap<number, number>;
  readonly inner: number;
  readonly data: Float32Array;
}

function combine(
  combinations: RowCombinations,
  slot: number,
  { places, inner, data }: HeldRows,
): Float64Array {
  const sum = new Float64Array(inner);
  const begin = at(combinations.offsets, slot);
  for (const [k, row] of rowsOf(combinations, slot).entries()) {
    const factor = at(combinations.factors, begin + k);
    const first = entry(places, row, "row") * inner;
    for (let i = 0; i < inner; i++) sum[i] = (sum[i] as number) + factor * (data[first + i] as number);
  }
  return sum;
}

/** Writes the part of a row that lies in a range. */
function writePart({ table, begin, out }: CombinedRange, first: number, row: Float64Array): void {
  const start = Math.max(first, begin);
  const stop = Math.min(first + row.length, begin + out.length);
  const data = row.subarray(start - first, stop - first);
  const target = out.subarray(start - begin, stop - begin) as TensorData;
  convertInto({ data, dtype: "f64" }, { data: target, dtype: table.dtype });
}

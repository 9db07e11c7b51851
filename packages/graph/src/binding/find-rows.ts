import { at, entry, sizeOf } from "@isthmus/core";
import { reshapeTo, squeezed } from "./rearrange.ts";
import type { CarriedValues, TensorPool } from "./tensor-pool.ts";
import type { ConcatenatedSource, TensorSource } from "./weight-source.ts";

/** Most pieces that a weight is put together from; more are taken for rows picked one by one. */
const MAX_PIECES = 64;

/** Fewest consecutive numbers of a vector that count as a piece: single numbers may be equal by chance. */
const MIN_NUMBERS = 2;

/**
 * Finds a weight whose rows are rows of tensors of a checkpoint in another order: the gates of a recurrent layer, which ONNX sorts
 * otherwise than PyTorch, or a table that an exporter looked up beforehand.
 *
 * Rows are the last axis longer than 1; the rows of a vector are single numbers. At every place the longest run of rows that
 * continues in one tensor is taken.
 * @returns undefined if some row is in no tensor, or two tensors would do
 */
export async function findRows(
  pool: TensorPool,
  carried: CarriedValues,
): Promise<TensorSource | ConcatenatedSource | undefined> {
  const width =
    squeezed(carried.shape).length > 1 ? at(squeezed(carried.shape), squeezed(carried.shape).length - 1) : 1;
  const tables = await readTables(pool, width);
  const index = indexRows(tables, width);
  const pieces = splitIntoRuns(carried.values, { width, tables, index });
  if (pieces === undefined) return undefined;
  if (width === 1 && pieces.some(({ rows }) => rows < MIN_NUMBERS)) return undefined;
  if (pieces.length <= MAX_PIECES) return concatenated(pieces, { pool, width, shape: carried.shape });
  return width === 1 ? undefined : gathered(pieces, { pool, width, shape: carried.shape });
}

/** Unused tensors with rows of one width, by name. */
async function readTables(pool: TensorPool, width: number): Promise<Map<string, Float32Array>> {
  const tables = new Map<string, Float32Array>();
  for (const name of pool.unused()) {
    const shape = squeezed(pool.shapeOf(name));
    const fits = width === 1 ? shape.length === 1 : shape.length > 1 && shape.at(-1) === width;
    if (fits) tables.set(name, await pool.read(name));
  }
  return tables;
}

interface RowPlace {
  readonly tensor: string;
  readonly row: number;
}

/** Places of all rows, by their first numbers. */
function indexRows(tables: ReadonlyMap<string, Float32Array>, width: number): Map<string, RowPlace[]> {
  const index = new Map<string, RowPlace[]>();
  for (const [tensor, values] of tables) {
    for (let row = 0; row * width < values.length; row++) {
      const key = keyOf(values, row, width);
      const places = index.get(key);
      if (places === undefined) index.set(key, [{ tensor, row }]);
      else places.push({ tensor, row });
    }
  }
  return index;
}

function keyOf(values: Float32Array, row: number, width: number): string {
  return values.subarray(row * width, row * width + Math.min(width, 3)).join();
}

/** Consecutive rows of one tensor. */
interface Run extends RowPlace {
  readonly rows: number;
}

interface RowSearch {
  readonly width: number;
  readonly tables: ReadonlyMap<string, Float32Array>;
  readonly index: ReadonlyMap<string, readonly RowPlace[]>;
}

function splitIntoRuns(values: Float32Array, search: RowSearch): Run[] | undefined {
  const { width, index } = search;
  const runs: Run[] = [];
  const count = values.length / width;
  for (let row = 0; row < count; ) {
    const places = index.get(keyOf(values, row, width)) ?? [];
    const starts = places.map((place) => ({ ...place, rows: runLength(values, row, place, search) }));
    const longest = Math.max(0, ...starts.map(({ rows }) => rows));
    const [best, other] = starts.filter(({ rows }) => rows === longest);
    if (best === undefined || longest === 0 || other !== undefined) return undefined;
    runs.push(best);
    row += longest;
  }
  return runs;
}

/** Number of rows from `row` on that equal those of a tensor from `place` on. */
function runLength(values: Float32Array, row: number, place: RowPlace, { width, tables }: RowSearch): number {
  const table = entry(tables, place.tensor, "table");
  const most = Math.min(values.length / width - row, table.length / width - place.row);
  let same = 0;
  while (same < most * width && values[row * width + same] === table[place.row * width + same]) same++;
  return Math.floor(same / width);
}

interface RowTarget {
  readonly pool: TensorPool;
  readonly width: number;
  readonly shape: readonly number[];
}

function concatenated(
  runs: readonly Run[],
  { pool, width, shape }: RowTarget,
): TensorSource | ConcatenatedSource {
  const parts = runs.map(({ tensor, row, rows }): TensorSource => {
    const full = rowShape(pool.shapeOf(tensor), width);
    const whole = row === 0 && rows === full[0];
    const slice = { kind: "slice", axis: 0, begin: row, end: row + rows } as const;
    return {
      kind: "tensor",
      tensor,
      steps: [...reshapeTo(pool.shapeOf(tensor), full), ...(whole ? [] : [slice])],
    };
  });
  const [only] = parts;
  if (only === undefined || parts.length > 1) return { kind: "concatenated", parts, shape };
  return { ...only, steps: [...only.steps, { kind: "reshape", shape }] };
}

function gathered(runs: readonly Run[], { pool, width, shape }: RowTarget): TensorSource | undefined {
  const [first] = runs;
  if (first === undefined || runs.some(({ tensor }) => tensor !== first.tensor)) return undefined;
  const indices = runs.flatMap(({ row, rows }) => Array.from({ length: rows }, (_, i) => row + i));
  const full = rowShape(pool.shapeOf(first.tensor), width);
  return {
    kind: "tensor",
    tensor: first.tensor,
    steps: [
      ...reshapeTo(pool.shapeOf(first.tensor), full),
      { kind: "gather", indices },
      { kind: "reshape", shape },
    ],
  };
}

/** Shape of a tensor as rows of one width: a vector has rows of one number, without an axis for it. */
function rowShape(shape: readonly number[], width: number): number[] {
  return width === 1 ? [sizeOf(shape)] : [sizeOf(shape) / width, width];
}

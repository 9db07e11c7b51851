import {
  allocateData,
  asFloat32,
  at,
  type Checkpoint,
  type DType,
  entry,
  gatherInto,
  sizeOf,
  type TensorData,
  toFloat32,
} from "@isthmus/core";
import type { WeightLayout } from "@isthmus/symmetry";
import { scaleRowsInPlace } from "./kernels/scale-rows.ts";

/** Selects elements of a weight: all sums of one offset of each table, the last running fastest. */
export interface TileTables {
  /** Offsets along the axes that include the first one. */
  readonly lead: Int32Array;
  /** Offsets along all others, outermost first; they stay within one index of the first axis. */
  readonly rest: readonly Int32Array[];
}

/** Reader of parts of the weights of one network, permuted, as f32. */
export interface WeightTiles {
  /**
   * Reads the selected elements of a weight, `[lead, ...rest]`.
   * @param scaled - whether weights before norms come as the norms scale them
   */
  read(tensor: string, layout: WeightLayout, tables: TileTables, scaled: boolean): Promise<Float32Array>;
}

/** Options of {@link createWeightTiles}. */
export interface WeightTilesOptions {
  /** Bytes of weights in their stored type to keep for later reads. */
  readonly cacheBytes: number;
  /** Factors for each index of the first axis, by weight; see `normFactors`. */
  readonly factors: ReadonlyMap<string, Float64Array>;
}

/**
 * Reads tiles from a checkpoint: only the rows (indices of the first axis) that a tile needs, read in
 * stretches of neighbours and converted after their elements are selected. Weights are kept, first come,
 * while they fit the cache: with the cyclic order in which matching asks, replacing them would lose every one
 * just before it is needed again.
 */
export function createWeightTiles(
  checkpoint: Checkpoint,
  { cacheBytes, factors }: WeightTilesOptions,
): WeightTiles {
  const cache = new Map<string, TensorData>();
  let free = cacheBytes;
  const rowsOf = async (name: string, rowSize: number, lead: Int32Array): Promise<StoredRows> => {
    const { shape, dtype } = entry(checkpoint.tensors, name, "weight");
    const cached = cache.get(name);
    if (cached !== undefined) return { data: cached, dtype, lead, firstRows: undefined };
    const bytes = sizeOf(shape) * allocateData(dtype, 0).BYTES_PER_ELEMENT;
    if (bytes > free) return readRows(checkpoint, { name, dtype, rowSize }, lead);
    free -= bytes;
    const { data } = await checkpoint.read(name);
    cache.set(name, data);
    return { data, dtype, lead, firstRows: undefined };
  };
  return {
    async read(tensor, layout, { lead, rest }, scaled) {
      const rowSize = sizeOf(layout.view) / at(layout.view, 0, "axis");
      const stored = await rowsOf(tensor, rowSize, lead);
      const ofTensor = scaled ? factors.get(tensor) : undefined;
      if (ofTensor === undefined) return select(stored.data, stored.dtype, [stored.lead, ...rest]);
      const perFactor = sizeOf(layout.view) / ofTensor.length;
      const values = toFloat32(stored.data, stored.dtype);
      scaleRowsInPlace(values, stored.firstRows, ofTensor, rowSize, perFactor);
      return select(values, "f32", [stored.lead, ...rest]);
    },
  };
}

/** Rows of a weight in their stored type. */
interface StoredRows {
  readonly data: TensorData;
  readonly dtype: DType;
  /** Offsets of the lead into `data`. */
  readonly lead: Int32Array;
  /** Indices of the rows that `data` holds, ascending; undefined if it holds the whole weight. */
  readonly firstRows: Int32Array | undefined;
}

async function readRows(
  checkpoint: Checkpoint,
  { name, dtype, rowSize }: { readonly name: string; readonly dtype: DType; readonly rowSize: number },
  lead: Int32Array,
): Promise<StoredRows> {
  const rowOf = (offset: number) => Math.floor(offset / rowSize);
  const sorted = lead.map(rowOf).sort();
  const rows = sorted.filter((row, i) => i === 0 || row !== sorted[i - 1]);
  const data = allocateData(dtype, rows.length * rowSize);
  const placeOf = new Map<number, number>();
  let begin = 0;
  for (const [i, row] of rows.entries()) {
    placeOf.set(row, i);
    if (rows[i + 1] === row + 1) continue;
    const first = at(rows, begin, "row");
    await checkpoint.readRangeInto(name, first * rowSize, data.subarray(begin * rowSize, (i + 1) * rowSize));
    begin = i + 1;
  }
  const local = lead.map((offset) => entry(placeOf, rowOf(offset), "row") * rowSize + (offset % rowSize));
  return { data, dtype, lead: local, firstRows: rows };
}

/**
 * Selects elements of a weight as f32. Elements of 8 and 16 bits are selected in their stored type and then
 * converted; others are converted first.
 */
function select(data: TensorData, dtype: DType, tables: readonly Int32Array[]): Float32Array {
  const count = tables.reduce((product, table) => product * table.length, 1);
  if (data instanceof Uint16Array) return asFloat32(gatherInto(data, tables, new Uint16Array(count)), dtype);
  if (data instanceof Uint8Array) return asFloat32(gatherInto(data, tables, new Uint8Array(count)), dtype);
  return gatherInto(asFloat32(data, dtype), tables, new Float32Array(count));
}

import { at, sizeOf } from "@isthmus/core";
import { rearrange, reshapeTo, squeezed } from "./rearrange.ts";
import { RowIndex, type RowPlace } from "./row-index.ts";
import type { CarriedValues, TensorPool } from "./tensor-pool.ts";
import type { ConcatenatedSource, TensorSource } from "./weight-source.ts";

/**
 * Maximum number of pieces that a weight is joined from; with more pieces its rows are gathered one by one.
 */
const MAX_PIECES = 64;

/**
 * Smallest number of consecutive elements of a vector that count as a piece: single
 * numbers may be equal by chance.
 */
const MIN_NUMBERS = 2;

/** Maximum number of elements of a matrix that is searched number by number. */
const MAX_NUMBERS = 2 ** 16;

/** A search for rows in the tensors of a checkpoint, which are read once for all weights. */
export class RowFinder {
  readonly #pool: TensorPool;
  readonly #indexes = new Map<number, Promise<RowIndex>>();

  constructor(pool: TensorPool) {
    this.#pool = pool;
  }

  /**
   * Finds a weight whose rows are rows of tensors of a checkpoint in another order: the gates of a recurrent
   * layer, which ONNX orders differently from PyTorch, or a table that an exporter looked up beforehand, such
   * as biases of relative positions.
   *
   * Rows lie along the last axis longer than 1, or along another axis, which is then moved; the rows of a
   * vector are single numbers. At every row the longest run of rows that continues in one tensor is taken.
   * @returns undefined if some row is in no tensor, or two tensors fit equally well
   */
  async find(carried: CarriedValues): Promise<TensorSource | ConcatenatedSource | undefined> {
    const rank = carried.shape.length;
    const axes = carried.shape.flatMap((extent, axis) => (extent > 1 ? [axis] : [])).reverse();
    for (const [tried, axis] of axes.entries()) {
      const order = [...Array(rank).keys()].filter((other) => other !== axis).concat(axis);
      const step = { kind: "transpose", permutation: order } as const;
      const turned = tried === 0 ? carried : { ...rearrange(carried, [step]), dtype: carried.dtype };
      const source = await this.#findAlongLast(turned);
      if (tried === 0 && source !== undefined) return source;
      if (source?.kind !== "tensor") continue;
      const back = order.map((_, place) => order.indexOf(place));
      return { ...source, steps: [...source.steps, { kind: "transpose", permutation: back }] };
    }
    return this.#findNumbers(carried);
  }

  /**
   * Finds the numbers of a small matrix in vectors, as for biases of gates, which join
   * the vectors of both directions.
   */
  async #findNumbers(carried: CarriedValues): Promise<TensorSource | ConcatenatedSource | undefined> {
    if (squeezed(carried.shape).length < 2 || carried.values.length > MAX_NUMBERS) return undefined;
    const pieces = splitIntoRuns(carried.values, await this.#indexOf(1));
    if (pieces === undefined || pieces.length > MAX_PIECES) return undefined;
    if (pieces.some(({ rows }) => rows < MIN_NUMBERS)) return undefined;
    return concatenated(pieces, { pool: this.#pool, width: 1, shape: carried.shape });
  }

  async #findAlongLast(carried: CarriedValues): Promise<TensorSource | ConcatenatedSource | undefined> {
    const extents = squeezed(carried.shape);
    const width = extents.length > 1 ? at(extents, extents.length - 1) : 1;
    const pieces = splitIntoRuns(carried.values, await this.#indexOf(width));
    if (pieces === undefined) return undefined;
    if (width === 1 && pieces.some(({ rows }) => rows < MIN_NUMBERS)) return undefined;
    const target = { pool: this.#pool, width, shape: carried.shape };
    if (pieces.length <= MAX_PIECES) return concatenated(pieces, target);
    return width === 1 ? undefined : gathered(pieces, target);
  }

  #indexOf(width: number): Promise<RowIndex> {
    const index = this.#indexes.get(width) ?? RowIndex.create(this.#pool, width);
    this.#indexes.set(width, index);
    return index;
  }
}

/** Consecutive rows of one tensor. */
interface Run extends RowPlace {
  readonly rows: number;
}

/**
 * Splits values into the longest runs of rows that are in one tensor; undefined if a row is in no tensor, or
 * a run is in two.
 */
function splitIntoRuns(values: Float32Array, index: RowIndex): Run[] | undefined {
  const runs: Run[] = [];
  const count = values.length / index.width;
  for (let row = 0; row < count; ) {
    const places = index.beginningWith(values[row * index.width] as number);
    const starts = places.map((place) => ({ ...place, rows: index.runLength(values, row, place) }));
    const longest = starts.reduce((most, { rows }) => Math.max(most, rows), 0);
    const [best, other] = starts.filter(({ rows }) => rows === longest);
    if (best === undefined || longest === 0 || other !== undefined) return undefined;
    runs.push(best);
    row += longest;
  }
  return runs;
}

/** Shape of the weight that rows are joined to. */
interface RowTarget {
  readonly pool: TensorPool;
  readonly width: number;
  readonly shape: readonly number[];
}

function concatenated(runs: readonly Run[], target: RowTarget): TensorSource | ConcatenatedSource {
  const { shape } = target;
  const [count = 1, ...rest] = shape;
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const groups = rest.length > 0 && count > 1 ? groupRuns(runs, rows / count) : undefined;
  // Each index of the first axis is joined by itself, as the weights of two
  // directions have nothing in common.
  const parts = groups?.map((group) => join(group, { ...target, shape: [1, ...rest] }));
  return parts === undefined ? join(runs, target) : { kind: "concatenated", parts, shape };
}

/**
 * Groups runs into groups of `rows` rows; undefined if a run crosses the border of two
 * groups, or groups are single rows.
 */
function groupRuns(runs: readonly Run[], rows: number): Run[][] | undefined {
  const groups: Run[][] = [];
  let left = 0;
  for (const run of runs) {
    if (left === 0) {
      groups.push([]);
      left = rows;
    }
    left -= run.rows;
    if (left < 0) return undefined;
    groups.at(-1)?.push(run);
  }
  return rows > 1 ? groups : undefined;
}

function join(runs: readonly Run[], { pool, width, shape }: RowTarget): TensorSource | ConcatenatedSource {
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

/** Returns the shape of a tensor as rows of one width, `[rows, width]`; a vector is `[rows]`. */
function rowShape(shape: readonly number[], width: number): number[] {
  return width === 1 ? [sizeOf(shape)] : [sizeOf(shape) / width, width];
}

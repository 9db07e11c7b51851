import { entry, sizeOf } from "@isthmus/core";
import { squeezed } from "./rearrange.ts";
import type { TensorPool } from "./tensor-pool.ts";

/** Maximum number of rows of an indexed tensor; larger tables are skipped. */
const MAX_ROWS = 2 ** 22;

/** A row of a tensor. */
export interface RowPlace {
  /** Name of the tensor in the checkpoint. */
  readonly tensor: string;
  /** Index of the row in the tensor, from 0; all axes but the last count as one. */
  readonly row: number;
}

/** Index of the rows of one width of all unused tensors of a checkpoint, by their first number. */
export class RowIndex {
  readonly width: number;
  readonly #tables = new Map<string, Float32Array>();
  readonly #byFirst = new Map<number, RowPlace[]>();

  private constructor(width: number) {
    this.width = width;
  }

  /**
   * Reads the tensors whose rows have a width.
   * @param width - numbers in a row: the last extent of a tensor, or 1 for vectors,
   *   whose numbers are their rows
   */
  static async create(pool: TensorPool, width: number): Promise<RowIndex> {
    const index = new RowIndex(width);
    for (const name of pool.unused()) {
      const shape = squeezed(pool.shapeOf(name));
      const fits = width === 1 ? shape.length === 1 : shape.length > 1 && shape.at(-1) === width;
      if (fits && sizeOf(shape) / width <= MAX_ROWS) index.#add(name, await pool.read(name));
    }
    return index;
  }

  #add(tensor: string, values: Float32Array): void {
    this.#tables.set(tensor, values);
    for (let row = 0; row * this.width < values.length; row++) {
      const first = values[row * this.width] as number;
      const places = this.#byFirst.get(first);
      if (places === undefined) this.#byFirst.set(first, [{ tensor, row }]);
      else places.push({ tensor, row });
    }
  }

  /** Returns the rows that begin with a number. */
  beginningWith(first: number): readonly RowPlace[] {
    return this.#byFirst.get(first) ?? [];
  }

  /** Counts the rows of `values` from `row` on that equal the rows of a tensor from `place` on. */
  runLength(values: Float32Array, row: number, place: RowPlace): number {
    const table = entry(this.#tables, place.tensor, "table");
    const { width } = this;
    const most = Math.min(values.length / width - row, table.length / width - place.row) * width;
    let same = 0;
    while (same < most && values[row * width + same] === table[place.row * width + same]) same++;
    return Math.floor(same / width);
  }
}

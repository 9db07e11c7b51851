import { OutOfRangeError, UsageError } from "@isthmus/core";
/** A dense cost matrix [rows, columns], row-major: the edge (i, j) costs `data[i * stride + j]`. */
export interface CostMatrix {
  /** Costs in f32, at least up to the last element of the last row. */
  readonly data: Float32Array;
  /** Number of rows, each of which is assigned to a column. */
  readonly rows: number;
  /** Number of columns; if there are fewer than rows, some rows are left over. */
  readonly columns: number;
  /** Elements from the start of one row to the start of the next. @defaultValue `columns` */
  readonly stride?: number | undefined;
}

/** Returns the distance between the starts of two rows of `cost`, in elements. */
export function strideOf(cost: CostMatrix): number {
  return cost.stride ?? cost.columns;
}

/**
 * Checks that the sizes of a cost matrix are whole numbers and that its data hold them.
 * @throws TypeError if the data are not a Float32Array.
 * @throws RangeError if a size is not a whole number, the stride is shorter than a row, or the data are too
 *   short.
 */
export function assertCostMatrix(cost: CostMatrix): void {
  if (!(cost.data instanceof Float32Array)) {
    throw new UsageError(
      `Cannot read a cost matrix as its data must be a Float32Array: they are ${describe(cost.data)}`,
    );
  }
  const stride = strideOf(cost);
  for (const [name, size] of [
    ["rows", cost.rows],
    ["columns", cost.columns],
    ["stride", stride],
  ] as const) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new OutOfRangeError(
        `Cannot read a cost matrix as its sizes must be whole numbers from 0: ${name} is ${size}`,
      );
    }
  }
  if (stride < cost.columns) {
    throw new OutOfRangeError(
      `Cannot read a cost matrix as its stride must be at least its ${cost.columns} columns: it is ${stride}`,
    );
  }
  const needed = cost.rows === 0 ? 0 : (cost.rows - 1) * stride + cost.columns;
  if (cost.data.length < needed) {
    throw new OutOfRangeError(
      `Cannot read a cost matrix [${cost.rows}, ${cost.columns}] with stride ${stride} as its data must have at least ${needed} elements: they have ${cost.data.length}`,
    );
  }
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return value.constructor?.name ?? "an object";
}

import type { Matrix } from "@isthmus/linear-algebra";

/** Two factors whose product is a change of a weight, before it is scaled. */
export interface Factors {
  /** `[rows, rank]`. */
  readonly left: Matrix;
  /** `[rank, columns]`. */
  readonly right: Matrix;
}

/** Element type to which factors are converted when they are read. */
export type FactorType = "f32" | "f64";

/** Computes rows `[top, bottom)` of a change, `[bottom - top, columns]`. */
export type ChangeRows = (top: number, bottom: number) => Matrix["data"];

/** Range of rows `[top, bottom)` of a tensor that are computed, and the weight of the adapter. */
export interface ChangedRows {
  /** Name of the tensor in the network, for messages. */
  readonly name: string;
  /** Position of the first row. */
  readonly top: number;
  /** Position of the row after the last one. */
  readonly bottom: number;
  /** Number of elements of each row. */
  readonly columns: number;
  /** Weight of the adapter, which multiplies its scale. */
  readonly weight: number;
}

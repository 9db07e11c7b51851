import type { NumberFormat } from "./number-format.ts";

/** One slice of a grid. */
export interface Slice {
  /** Words above the slice. */
  readonly label: string;
  /** `[ys][xs]`; values that are not finite are drawn in grey. */
  readonly values: readonly (readonly number[])[];
}

/** Slices of a grid beside each other, all with one scale of colours. */
export interface SlicePlot {
  /** Kind of the plot. */
  readonly kind: "slices";
  /** Even ascending coordinates of the columns of every slice; at least two. */
  readonly xs: readonly number[];
  /** Even ascending coordinates of the rows of every slice; at least two. */
  readonly ys: readonly number[];
  /** Slices in the order of their places. */
  readonly slices: readonly Slice[];
  /** Words for the colours, with the unit. */
  readonly label: string;
  /** Format of the levels beside the colours. */
  readonly format: NumberFormat;
}

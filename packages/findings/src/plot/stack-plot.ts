import type { Axis } from "./axis.ts";

/** Bars made of parts, in rows. */
export interface StackPlot {
  /** Kind of the plot. */
  readonly kind: "stacks";
  /** Names of the rows, from the top. */
  readonly rows: readonly string[];
  /** Names of the parts, from the left. */
  readonly parts: readonly string[];
  /** Length of each part, `[rows][parts]`, at least 0. */
  readonly values: readonly (readonly number[])[];
  /** Axis of the lengths. */
  readonly axis: Axis;
}

import type { Axis } from "./axis.ts";

/** Values of one sort, with their mean. */
export interface Strip {
  /** Name of the strip, beside it. */
  readonly label: string;
  /** Values of the strip, at least one. */
  readonly values: readonly { readonly name: string; readonly value: number }[];
  /** Mean of the values. */
  readonly mean: number;
}

/** Each value as a dot, strip under strip, with the mean of each. */
export interface StripPlot {
  /** Kind of the plot. */
  readonly kind: "strips";
  /** Strips of the plot, in order from top to bottom. */
  readonly strips: readonly Strip[];
  /** Axis of the values. */
  readonly axis: Axis;
}

import type { Axis } from "./axis.ts";

/** Values of one sort, with their mean. */
export interface Strip {
  readonly label: string;
  /** Values of the strip, at least one. */
  readonly values: readonly { readonly name: string; readonly value: number }[];
  readonly mean: number;
}

/** Each value as a dot, strip under strip, with the mean of each. */
export interface StripPlot {
  readonly kind: "strips";
  readonly strips: readonly Strip[];
  readonly axis: Axis;
}

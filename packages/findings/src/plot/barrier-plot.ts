import { at } from "@isthmus/core";
import type { Measure } from "../measure.ts";

/** A curve along a path, with its barrier. */
export interface PlottedBarrier {
  /** Name of the curve in the legend. */
  readonly label: string;
  /** Index of the curve whose colour and symbol it has. */
  readonly style: number;
  /** Values at places from 0 to 1 on the path, in order; at least two. */
  readonly points: readonly { readonly t: number; readonly value: number }[];
  /** Place at which the curve is highest above its chord, and its height above the chord there. */
  readonly barrier: { readonly at: number; readonly chord: number };
  /** Ends of the interval of the barrier. @defaultValue none */
  readonly interval?: { readonly low: number; readonly high: number };
}

/**
 * Curves along a path: every measured point, joined by straight lines, the chord of each curve as a dashed
 * line, and its barrier as a bracket from the chord to the curve, with its interval if it has one.
 */
export interface BarrierPlot {
  /** Kind of the plot. */
  readonly kind: "barrier";
  /** Quantity of the values, which decides the format of numbers. */
  readonly measure: Measure;
  /** Words of the vertical axis, with the unit in brackets. */
  readonly label: string;
  /** Curves along the path, all on the same axes. */
  readonly curves: readonly PlottedBarrier[];
}

/** Computes the height, at place `t`, of the chord: the straight line between the ends of a curve. */
export function chordAt({ points }: Pick<PlottedBarrier, "points">, t: number): number {
  const first = at(points, 0, "point").value;
  const last = at(points, points.length - 1, "point").value;
  return (1 - t) * first + t * last;
}

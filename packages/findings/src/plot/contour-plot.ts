import { at } from "@isthmus/core";
import type { NumberFormat } from "./number-format.ts";

/** A minimum or a saddle of a plane. */
export interface PlaneMark {
  /** Kind of the place: a minimum or a saddle. */
  readonly kind: "minimum" | "saddle";
  /** Coordinate of the place across the columns. */
  readonly x: number;
  /** Coordinate of the place across the rows. */
  readonly y: number;
  /**
   * Whether it is a minimum on the edge, which the landscape beyond the edge may contradict. @defaultValue
   * false
   */
  readonly onEdge?: boolean;
}

/** Values over a plane as filled contours, with networks and paths in it. */
export interface ContourPlot {
  /** Kind of the plot. */
  readonly kind: "contours";
  /** Ascending coordinates of the columns; at least two. */
  readonly xs: readonly number[];
  /** Ascending coordinates of the rows; at least two. */
  readonly ys: readonly number[];
  /** `[ys][xs]`, at least 0; values that are not finite are drawn in grey. */
  readonly values: readonly (readonly number[])[];
  /**
   * The smallest value above 0 that could be measured, such as the error of one example: no contour is drawn
   * below it. @defaultValue 0
   */
  readonly resolution?: number;
  /** Words for the colours, with the unit. */
  readonly label: string;
  /** Format of the levels beside the colours. */
  readonly format: NumberFormat;
  /** Networks to mark, with their names and coordinates. */
  readonly models: readonly {
    readonly label: string;
    readonly x: number;
    readonly y: number;
    /** Whether it is drawn smaller, and without its name if there is no room for it. @defaultValue false */
    readonly minor?: boolean;
  }[];
  /** Paths to draw, with their names and the coordinates of their points. */
  readonly paths: readonly {
    readonly label: string;
    readonly points: readonly (readonly [x: number, y: number])[];
  }[];
  /** Minima and saddles to mark. @defaultValue none */
  readonly marks?: readonly PlaneMark[];
  /** Words for the axes. @defaultValue distances between weights along x and y */
  readonly axes?: { readonly x: string; readonly y: string };
}

/** Coordinates of the columns and the rows of a plane. */
type Plane = Pick<ContourPlot, "xs" | "ys">;

/** Bounds of the height of the frame relative to its width; between them both axes have the same scale. */
const ASPECT = { low: 0.4, high: 1.3 } as const;

/**
 * Computes the ratio of the drawn length of a unit of y to a unit of x: 1 except for planes that would be too
 * flat, or too high, to show anything.
 */
export function stretchOf(plane: Plane): number {
  return shownAspect(plane) / aspectOf(plane);
}

/** Computes the height of the frame relative to its width. */
export function shownAspect(plane: Plane): number {
  return Math.min(ASPECT.high, Math.max(ASPECT.low, aspectOf(plane)));
}

/** Computes the height of a plane relative to its width. */
function aspectOf({ xs, ys }: Plane): number {
  const [[left, right], [bottom, top]] = [endsOf(xs), endsOf(ys)];
  return (top - bottom) / (right - left);
}

/** Returns the first and the last of ascending coordinates. */
export function endsOf(coordinates: readonly number[]): [number, number] {
  return [at(coordinates, 0, "coordinate"), at(coordinates, coordinates.length - 1, "coordinate")];
}

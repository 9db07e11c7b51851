import type { Axis } from "./axis.ts";

/** A point of a line, with the interval of its value if it has one. */
export interface LinePoint {
  /** Coordinate on the axis across. */
  readonly x: number;
  /** Coordinate on the axis up. */
  readonly y: number;
  /** Lower end of the interval of `y`; absent without an interval. */
  readonly low?: number;
  /** Upper end of the interval of `y`; absent without an interval. */
  readonly high?: number;
  /** Name that is shown beside the mark, if there is room. */
  readonly name?: string;
}

/** Points of one colour. */
export interface LineSeries {
  /** Name of the series in the legend. */
  readonly label: string;
  /** Points in the order in which lines join them. */
  readonly points: readonly LinePoint[];
  /** Whether lines join the points. @defaultValue true */
  readonly joined?: boolean;
  /** Index of the curve whose colour and symbol it has. @defaultValue its place among the series */
  readonly style?: number;
}

/** Lines, or dots with intervals, over two axes. */
export interface LinePlot {
  /** Kind of the plot. */
  readonly kind: "lines";
  /** Lines; at least one of them has a point. */
  readonly series: readonly LineSeries[];
  /** Axis across. */
  readonly x: Axis;
  /** Axis up. */
  readonly y: Axis;
  /** Whether the line of equal values on both axes is drawn. */
  readonly diagonal?: boolean;
}

/** Largest number of points of a joined line that has marks. */
const MOST_MARKS = 150;

/** Checks whether the points of a joined line get marks: too many would make a thick line of it. */
export const hasMarks = (points: number): boolean => points <= MOST_MARKS;

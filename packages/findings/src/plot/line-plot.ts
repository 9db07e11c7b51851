import type { Axis } from "./axis.ts";

/** A point of a line, with the interval of its value if it has one. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  /** Name that is shown beside the mark, if there is room. */
  readonly name?: string;
}

/** Points of one colour. */
export interface LineSeries {
  readonly label: string;
  readonly points: readonly LinePoint[];
  /** Whether lines join the points. @defaultValue true */
  readonly joined?: boolean;
  /** Index of the curve whose colour and symbol it has. @defaultValue its place among the series */
  readonly style?: number;
}

/** Lines, or dots with intervals, over two axes. */
export interface LinePlot {
  readonly kind: "lines";
  /** Lines; at least one of them has a point. */
  readonly series: readonly LineSeries[];
  readonly x: Axis;
  readonly y: Axis;
  /** Whether the line of equal values on both axes is drawn. */
  readonly diagonal?: boolean;
}

/** Largest number of points of a joined line that has marks. */
const MOST_MARKS = 150;

/** Checks whether the points of a joined line get marks: too many would make a thick line of it. */
export const hasMarks = (points: number): boolean => points <= MOST_MARKS;

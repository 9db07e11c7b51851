import type { Axis } from "./axis.ts";

/** A place of a line, with an interval of its value if it has one. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  /** Name shown beside the mark, where there is room. */
  readonly name?: string;
}

/** Points of one colour. */
export interface LineSeries {
  readonly label: string;
  readonly points: readonly LinePoint[];
  /** Join the points. @defaultValue true */
  readonly joined?: boolean;
  /** Index of the curve whose colour and symbol it has. @defaultValue its place among the series */
  readonly style?: number;
}

/** Lines, or dots with intervals, over two axes. */
export interface LinePlot {
  readonly kind: "lines";
  /** At least one point among them. */
  readonly series: readonly LineSeries[];
  readonly x: Axis;
  readonly y: Axis;
  /** A line of equal values on both axes. */
  readonly diagonal?: boolean;
}

/** Most points of a joined line that has marks. */
const MOST_MARKS = 150;

/** Whether the points of a joined line have marks: more would make a thick line of it. */
export const hasMarks = (points: number): boolean => points <= MOST_MARKS;

import { at } from "@isthmus/core";
import type { MeasuredPath, PathSummary } from "./curve-result.ts";

/**
 * Computes the summaries of loss and error along a path. A NaN at any place makes all of them NaN, rather
 * than passing for a low loss.
 * @param points - at least two, ascending in t and length
 */
export function summarizePath(points: MeasuredPath["points"]): MeasuredPath {
  return {
    points,
    length: at(points, points.length - 1, "place").length,
    loss: summarize(points, ({ loss }) => loss),
    error: summarize(points, ({ error }) => error),
  };
}

/** A measured place of a path. */
type Point = MeasuredPath["points"][number];

function summarize(points: readonly Point[], measureOf: (point: Point) => number): PathSummary {
  const values = points.map(measureOf);
  const max = Math.max(...values);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    min: Math.min(...values),
    max,
    mean,
    lengthMean: lengthMean(points, values) ?? mean,
    // A maximum that is NaN is found at no place.
    at: points[values.indexOf(max)]?.t ?? Number.NaN,
  };
}

/**
 * Computes the integral over the length by trapezoids, divided by the length; undefined for a path of length
 * 0.
 */
function lengthMean(points: readonly Point[], values: readonly number[]): number | undefined {
  const lengthAt = (index: number) => at(points, index, "place").length;
  const last = points.length - 1;
  let integral = 0;
  for (let i = 0; i < last; i++) {
    const step = lengthAt(i + 1) - lengthAt(i);
    integral += ((at(values, i, "value") + at(values, i + 1, "value")) / 2) * step;
  }
  const total = lengthAt(last) - lengthAt(0);
  return total > 0 ? integral / total : undefined;
}

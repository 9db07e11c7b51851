import type { MeasuredPath, PathSummary } from "./curve-result.ts";

/**
 * Sums up loss and error at places of a path. A NaN anywhere makes the sums NaN, rather than passing for a low loss.
 * @param points - at least two, ascending in t and length
 */
export function summarizePath(points: MeasuredPath["points"]): MeasuredPath {
  return {
    points,
    length: points.at(-1)?.length ?? 0,
    loss: summarize(points, ({ loss }) => loss),
    error: summarize(points, ({ error }) => error),
  };
}

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
    at: points[values.indexOf(max)]?.t ?? Number.NaN,
  };
}

/** The integral by trapezoids, over the length; nothing where the path goes nowhere. */
function lengthMean(points: readonly Point[], values: readonly number[]): number | undefined {
  let integral = 0;
  points.slice(1).forEach(({ length }, i) => {
    const step = length - (points[i]?.length ?? 0);
    integral += (((values[i] ?? 0) + (values[i + 1] ?? 0)) / 2) * step;
  });
  const total = (points.at(-1)?.length ?? 0) - (points[0]?.length ?? 0);
  return total > 0 ? integral / total : undefined;
}

import { assertDrawableCurves, type BarrierCurve } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { formatBarrier, formatMeasure, lossWords, type Measure } from "@isthmus/findings";
import { CHART_DEFAULTS, type ChartOptions, renderChart } from "./render-chart.ts";

/** Options of {@link renderBarrierChart}. */
export interface BarrierChartOptions extends Pick<ChartOptions, "width" | "height" | "charset" | "color"> {
  /** Measure to draw. @defaultValue "loss" */
  readonly measure?: Measure;
}

/** Defaults of {@link renderBarrierChart}. */
const BARRIER_CHART_DEFAULTS: Required<BarrierChartOptions> = {
  width: CHART_DEFAULTS.width,
  height: CHART_DEFAULTS.height,
  charset: CHART_DEFAULTS.charset,
  color: CHART_DEFAULTS.color,
  measure: "loss",
};

/**
 * Draws barrier curves as text for a terminal, with the barrier of each in the legend.
 *
 * @throws UsageError if there is no curve, or one has fewer than two points or a value that is not finite
 * @throws OutOfRangeError if the chart is smaller than 30 columns or 4 rows
 */
export function renderBarrierChart(
  curves: readonly BarrierCurve[],
  options: BarrierChartOptions = {},
): string {
  const { measure = BARRIER_CHART_DEFAULTS.measure, ...chart } = options;
  assertDrawableCurves(curves);
  const series = curves.map(({ label, result }) => ({
    label: `${label}: barrier ${formatBarrier(result.barrier[measure].chord, measure)}`,
    points: result.points.map((point) => [point.t, point[measure]] as const),
  }));
  return renderChart(series, {
    ...chart,
    yLabel: measure === "loss" ? lossWords(at(curves, 0, "curve").result).axis("loss") : "error",
    xLabel: "from A (t = 0) to B (t = 1)",
    formatY: (value) =>
      measure === "loss" ? value.toFixed(Math.abs(value) < 10 ? 3 : 1) : formatMeasure(value, measure),
  });
}

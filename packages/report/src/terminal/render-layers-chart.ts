import type { LayerCut, LayersResult } from "@isthmus/barrier";
import { lossWords } from "@isthmus/findings";
import { type ChartOptions, type ChartSeries, renderChart } from "./render-chart.ts";

/**
 * Draws the barriers of growing sets of layers as text for a terminal, a line for each order.
 * @returns an empty text if no order was measured, or a loss is not finite
 * @throws OutOfRangeError if the chart is too small
 */
export function renderLayersChart(
  result: LayersResult,
  options: Pick<ChartOptions, "width" | "height" | "charset" | "color"> = {},
): string {
  const { cumulative, groups } = result;
  const series = cumulative.map(({ order, steps }): ChartSeries => {
    const points = steps.map(({ cut }, step): [number, number] => [step + 1, cut.wholeEndpoints.loss]);
    return { label: order, points: [[0, lossOfA(steps[0]?.cut)], ...points] };
  });
  const heights = series.flatMap(({ points }) => points.map(([, y]) => y));
  if (series.length === 0 || !heights.every(Number.isFinite)) return "";
  return renderChart(series, {
    ...options,
    yLabel: lossWords(result).axis("barrier"),
    xLabel: `layers added up, 0 to ${groups.length}`,
  });
}

/** Returns the loss of A, before any layer is averaged, above the mean of both networks. */
function lossOfA(cut: LayerCut | undefined): number {
  const middle = cut?.points[(cut.points.length - 1) / 2]?.loss ?? Number.NaN;
  return (cut?.points[0]?.loss ?? Number.NaN) - middle + (cut?.wholeEndpoints.loss ?? Number.NaN);
}

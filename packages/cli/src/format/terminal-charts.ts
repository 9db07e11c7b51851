import { formatShort, type LinePlot, type Plot } from "@isthmus/findings";
import { renderChart } from "@isthmus/report";
import type { Screen } from "./format-chart.ts";

/** Number of columns beyond which a wider chart is only coarser to read. */
const MAX_CHART_WIDTH = 90;

/** Draws a figure of one kind with the characters of a terminal. */
type DrawPlot<P> = (plot: P, screen: Screen) => string | undefined;

/** Functions that draw plots in a terminal, by the kind of plot; other kinds are shown by pages only. */
const CHARTS: { readonly [K in Plot["kind"]]?: DrawPlot<Extract<Plot, { kind: K }>> } = {
  lines: drawLines,
};

/** Draws a figure with the characters of a terminal; undefined if a terminal cannot draw its kind. */
export function drawPlot(plot: Plot, screen: Screen): string | undefined {
  const draw = CHARTS[plot.kind] as DrawPlot<Plot> | undefined;
  return draw?.(plot, screen);
}

/** Draws lines over axes of numbers; the horizontal one may be logarithmic. */
function drawLines({ series, x, y }: LinePlot, { columns, unicode, color }: Screen): string | undefined {
  if (y.scale === "log" || [x, y].some(({ names }) => names !== undefined)) return undefined;
  const scale = y.percent ? 100 : 1;
  const isLog = x.scale === "log";
  return renderChart(
    series.map(({ label, points, joined }) => ({
      label,
      points: points.map((point) => [isLog ? Math.log10(point.x) : point.x, scale * point.y] as const),
      ...(joined !== undefined && { joined }),
    })),
    {
      width: Math.min(columns, MAX_CHART_WIDTH),
      charset: unicode ? "braille" : "ascii",
      color,
      xLabel: isLog ? `${x.label}, on a logarithmic scale` : x.label,
      ...(isLog && { formatX: (power: number) => formatShort(10 ** power, 4) }),
      yLabel: y.label,
    },
  );
}

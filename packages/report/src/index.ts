export type {
  BarrierCurve,
  DrawableBarrier,
  DrawableInterval,
  DrawablePoint,
  DrawableValues,
  Measure,
} from "./barrier-curve.ts";
export {
  BARRIER_SVG_DEFAULTS,
  type BarrierSvgOptions,
  renderBarrierSvg,
} from "./figure/render-barrier-svg.ts";
export { formatBarrier, formatCount, formatMeasure, formatNumber, formatPlace } from "./format-value.ts";
export type { BarrierPage } from "./page/barrier-page.ts";
export { renderBarrierPage } from "./page/render-barrier-page.ts";
export type { Charset } from "./terminal/canvas.ts";
export {
  BARRIER_CHART_DEFAULTS,
  type BarrierChartOptions,
  renderBarrierChart,
} from "./terminal/render-barrier-chart.ts";
export { CHART_DEFAULTS, type ChartOptions, type ChartSeries, renderChart } from "./terminal/render-chart.ts";

export type { Theme } from "./figure/palette.ts";
export {
  BARRIER_SVG_DEFAULTS,
  type BarrierSvgOptions,
  renderBarrierSvg,
} from "./figure/render-barrier-svg.ts";
export {
  type ResultPage,
  renderResultPage,
} from "./page/render-result-page.ts";
export type { ReportPage } from "./page/report-page.ts";
export { listResultKinds, readResult } from "./read/read-result.ts";
export { titleOfResult } from "./read/title-of-result.ts";
export {
  FIGURES_DEFAULTS,
  type FiguresOptions,
  type RenderedFigure,
  renderFigures,
} from "./render-figures.ts";
export { type PdfFigure, renderPdfFigures } from "./render-pdf-figures.ts";
export { type RenderedTable, renderTables } from "./render-tables.ts";
export { VERDICT_MEANINGS } from "./result/comparison/verdict-meanings.ts";
export { describeResult } from "./result/describe-result.ts";
export {
  type ComparedBarrierResult,
  type ComparisonResult,
  curvesOf,
  type Drawable,
  type DrawableResult,
  isNamedBarriers,
} from "./result/drawable-result.ts";
export { studyColumnTitle } from "./result/study-column-title.ts";
export type { Charset } from "./terminal/canvas.ts";
export {
  BARRIER_CHART_DEFAULTS,
  type BarrierChartOptions,
  renderBarrierChart,
} from "./terminal/render-barrier-chart.ts";
export { CHART_DEFAULTS, type ChartOptions, type ChartSeries, renderChart } from "./terminal/render-chart.ts";
export { renderLayersChart } from "./terminal/render-layers-chart.ts";
export { MAP_CHART_DEFAULTS, type MapChartOptions, renderMapChart } from "./terminal/render-map-chart.ts";
export {
  PLANE_CHART_DEFAULTS,
  type PlaneChartOptions,
  renderPlaneChart,
} from "./terminal/render-plane-chart.ts";

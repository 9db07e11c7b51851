export type { BarrierCurve, Measure } from "./barrier-curve.ts";
export type { Theme } from "./figure/palette.ts";
export {
  BARRIER_SVG_DEFAULTS,
  type BarrierSvgOptions,
  renderBarrierSvg,
} from "./figure/render-barrier-svg.ts";
export {
  FIGURES_DEFAULTS,
  type FiguresOptions,
  type RenderedFigure,
  renderFigures,
} from "./figure/render-figures.ts";
export {
  formatBarrier,
  formatCount,
  formatCounted,
  formatMeasure,
  formatNumber,
  formatPlace,
  formatShort,
} from "./format-value.ts";
export { renderBarrierPage } from "./page/render-barrier-page.ts";
export { renderCurvePage } from "./page/render-curve-page.ts";
export { renderLayersPage } from "./page/render-layers-page.ts";
export { renderPlanePage } from "./page/render-plane-page.ts";
export { type ResultPage, renderResultPage } from "./page/render-result-page.ts";
export { renderStarPage } from "./page/render-star-page.ts";
export { renderStudyPage } from "./page/render-study-page.ts";
export type {
  BarrierPage,
  CurvePage,
  LayersPage,
  PageFact,
  PlanePage,
  ReportPage,
  StarPage,
  StudyPage,
} from "./page/report-page.ts";
export { type PdfFigure, renderPdfFigures } from "./pdf/render-pdf-figures.ts";
export {
  type ComparedBarrierResult,
  curvesOf,
  type DrawableResult,
  type Provenance,
} from "./result/drawable-result.ts";
export { studyColumnTitle } from "./result/study-column-title.ts";
export { type RenderedTable, renderTables } from "./table/render-tables.ts";
export type { Charset } from "./terminal/canvas.ts";
export {
  BARRIER_CHART_DEFAULTS,
  type BarrierChartOptions,
  renderBarrierChart,
} from "./terminal/render-barrier-chart.ts";
export { CHART_DEFAULTS, type ChartOptions, type ChartSeries, renderChart } from "./terminal/render-chart.ts";
export {
  PLANE_CHART_DEFAULTS,
  type PlaneChartOptions,
  renderPlaneChart,
} from "./terminal/render-plane-chart.ts";

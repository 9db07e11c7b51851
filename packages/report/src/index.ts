export type { Theme } from "./figure/palette.ts";
export { type BarrierSvgOptions, renderBarrierSvg } from "./figure/render-barrier-svg.ts";
export { renderPage } from "./page/render-page.ts";
export { type ResultPage, renderResultPage } from "./page/render-result-page.ts";
export type { ReportPage } from "./page/report-page.ts";
export { readResult } from "./read/read-result.ts";
export { resultJsonSchema } from "./read/result-json-schema.ts";
export {
  FIGURES_DEFAULTS,
  type FiguresOptions,
  type RenderedFigure,
  renderFigures,
} from "./render-figures.ts";
export { type PdfFigure, renderPdfFigures } from "./render-pdf-figures.ts";
export { type RenderedTable, renderTables } from "./render-tables.ts";
export { describeResult, titleOfResult } from "./result/describe-result.ts";
export { type Drawable, type DrawableResult, isNamedBarriers } from "./result/drawable-result.ts";
export { listResultKinds } from "./result/result-kinds.ts";
export type { Charset } from "./terminal/canvas.ts";
export { type BarrierChartOptions, renderBarrierChart } from "./terminal/render-barrier-chart.ts";
export { type ChartOptions, type ChartSeries, renderChart } from "./terminal/render-chart.ts";
export { renderLayersChart } from "./terminal/render-layers-chart.ts";
export { type MapChartOptions, renderMapChart } from "./terminal/render-map-chart.ts";
export { type PlaneChartOptions, renderPlaneChart } from "./terminal/render-plane-chart.ts";

export { dataWords, firstWords, type MeasureWords, measureWords } from "./data-words.ts";
export { factsOf } from "./facts.ts";
export { distinctNamesOfFiles, namesOfFiles } from "./file-names.ts";
export {
  formatAlike,
  formatBarrier,
  formatCount,
  formatCounted,
  formatMeasure,
  formatNumber,
  formatPlace,
  formatShort,
} from "./format-value.ts";
export type { Measure } from "./measure.ts";
export type { PageFact } from "./page-fact.ts";
export {
  type CellKind,
  type CellValue,
  formatCell,
  isKnown,
  type Table,
  type TableColumn,
  type TableRow,
  unitOf,
} from "./table.ts";

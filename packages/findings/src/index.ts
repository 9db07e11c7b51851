export { dataWords, firstWords, measureWords } from "./data-words.ts";
export { factsOf } from "./facts.ts";
export type { Figure } from "./figure.ts";
export { distinctNamesOfFiles, namesOfFiles, titlesOfFiles } from "./file-names.ts";
export { fitText, textWidth } from "./fit-text.ts";
export {
  formatBarrier,
  formatCount,
  formatCounted,
  formatMeasure,
  formatNumber,
  formatPlace,
  formatShare,
  formatShort,
} from "./format-value.ts";
export { type LossWords, lossWords } from "./loss-words.ts";
export { defineNetworkMaker, type OwnNetworkMaker, type OwnStart } from "./making/define-network-maker.ts";
export { type MadeFacts, type MadeOf, madeFacts } from "./making/made-facts.ts";
export type {
  MadeNetwork,
  MakerExamples,
  MakerStart,
  MakerStarts,
  MakerSubject,
  MakingControl,
  MakingPlan,
  NetworkMaker,
  Resuming,
} from "./making/network-maker.ts";
export { MEASURES, type Measure } from "./measure.ts";
export { defineMeasurement, type OwnMeasurement, type OwnResult } from "./measurement/define-measurement.ts";
export type {
  AnyMeasurement,
  CompletedBy,
  Control,
  ExamplesBeside,
  MadeNetworks,
  Measurement,
  MeasurementEntry,
  NamedSubject,
  NetworkMaking,
  OpenedSubject,
  OwnSubject,
  SaveNetwork,
  SourceSubject,
  SubjectName,
  Subjects,
  TrainingMeasurement,
  TrainingPace,
  Trains,
} from "./measurement/measurement.ts";
export type {
  AnyPairsMeasurement,
  MeasurePairs,
  NetworkPair,
  PairNetwork,
  PairsControl,
  PairsMeasurement,
  PairsOfNetworks,
  PairsSubject,
} from "./measurement/pairs.ts";
export {
  type AnyTrainingDescription,
  type ChangedExamples,
  type DescribesTraining,
  type ExamplesNames,
  type MeasuredNames,
  type NamedTraining,
  type TrainedExamples,
  type TrainingDescription,
  type TrainingSubject,
  trainingOf,
} from "./measurement/training-description.ts";
export type { PageFact } from "./page-fact.ts";
export { pairMapFigure } from "./pair-map.ts";
export type { Axis } from "./plot/axis.ts";
export type { Bar, BarPlot, BarPoints } from "./plot/bar-plot.ts";
export type { BarcodePlot, PersistenceBar } from "./plot/barcode-plot.ts";
export { type BarrierPlot, chordAt, type PlottedBarrier } from "./plot/barrier-plot.ts";
export {
  type ColorScale,
  divergingScale,
  factorScale,
  sequentialScale,
  unitScale,
} from "./plot/color-scale.ts";
export { type ContourPlot, endsOf, type PlaneMark, shownAspect, stretchOf } from "./plot/contour-plot.ts";
export type { HeatBorder, HeatOverlay, HeatPlot, TreeBracket } from "./plot/heat-plot.ts";
export { logarithmicLevels } from "./plot/levels.ts";
export { hasMarks, type LinePlot, type LinePoint, type LineSeries } from "./plot/line-plot.ts";
export type { MergeTreePlot, TreeBranch } from "./plot/merge-tree-plot.ts";
export { alikeFormat, formatAs, type NumberFormat, narrowFormat } from "./plot/number-format.ts";
export type { PlacePlot, PlaceSeries } from "./plot/place-plot.ts";
export type { Plot } from "./plot/plot.ts";
export type { Slice, SlicePlot } from "./plot/slice-plot.ts";
export type { StackPlot } from "./plot/stack-plot.ts";
export type { Strip, StripPlot } from "./plot/strip-plot.ts";
export type {
  WalkGround,
  WalkLine,
  WalkNetwork,
  WalkPair,
  WalkPath,
  WalkPlot,
  WalkView,
} from "./plot/walk-plot.ts";
export type { FedData, Provenance } from "./provenance.ts";
export { quoteCommand } from "./quote-command.ts";
export { type Report, type Section, sectionOfTable, type Tile } from "./report.ts";
export type { MeasuredResult, ResultKind } from "./result-kind.ts";
export { checkSizes, type SizeChecks } from "./size-checks.ts";
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
export { lossColumn, withLossColumns } from "./with-loss-columns.ts";

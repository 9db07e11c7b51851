export { collectStudy } from "./collect/collect-study.ts";
export { assertStudySize } from "./description/assert-study-size.ts";
export {
  COLLECTION_METHODS,
  COLLECTION_PARTS,
  type CollectedStudyNetwork,
  type CollectionMethod,
  type ScatteredStudyNetwork,
} from "./description/collected-network.ts";
export type { PrunedStudyNetwork, QuantizedStudyNetwork } from "./description/derived-network.ts";
export type { DimensionChoice, IntrinsicDimensionMeasurement } from "./description/dimension-measurement.ts";
export { MANY_CHOICES, type ManyChoice, type MergeMeasurement } from "./description/merge-measurement.ts";
export type { NetworkMeasurement } from "./description/network-measurement.ts";
export {
  ALIGN_CHOICES,
  type AlignChoice,
  type MatchChoice,
  type PairChoice,
  type PairSelection,
} from "./description/pair-selection.ts";
export type { ParetoMeasurement } from "./description/pareto-measurement.ts";
export type {
  CurveChoice,
  CurveMeasurement,
  PathMeasurement,
  SetsMeasurement,
} from "./description/path-measurements.ts";
export { restrictStudy } from "./description/restrict-study.ts";
export type {
  BarrierMeasurement,
  LoadedNetwork,
  MeasurementDescription,
  NetworkDescription,
  RepeatedNetwork,
  StarNetwork,
  StudyDescription,
  TrainedNetwork,
} from "./description/study-description.ts";
export type {
  ColumnDescription,
  ColumnSource,
  FigureDescription,
  TableDescription,
} from "./description/table-description.ts";
export type { EvolvedTicket, GradientTicket, TicketNetwork } from "./description/ticket-network.ts";
export type { ConnectivityTunedNetwork, TunedNetwork } from "./description/tuned-network.ts";
export type { WantedValues } from "./description/wanted-values.ts";
export { readStudy } from "./file/read-study.ts";
export { studyJsonSchema } from "./file/study-json-schema.ts";
export { planStudy, type StudyPlan } from "./plan/plan-study.ts";
export type { PlannedMeasurement } from "./plan/planned-measurement.ts";
export type { PlanPorts } from "./plan/planner.ts";
export { listMissing, type RunStudyOptions, type RunStudyResult, runStudy } from "./run-study.ts";
export type {
  StudyColumn,
  StudyFigure,
  StudyGroup,
  StudyMeasured,
  StudyResult,
  StudyTable,
  StudyValue,
} from "./study-result.ts";
export type { StudyPorts } from "./tasks/task-kind.ts";
export { loadStudyTasks } from "./tasks/task-kinds.ts";

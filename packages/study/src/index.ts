export { studyColumnTitle } from "./describe/study-column-title.ts";
export type { ManyChoice, MergeMeasurement } from "./description/merge-measurement.ts";
export {
  ALIGN_CHOICES,
  type AlignChoice,
  type MatchChoice,
  type PairChoice,
  type PairSelection,
} from "./description/pair-selection.ts";
export type { PathMeasurement, SetsMeasurement } from "./description/path-measurements.ts";
export { restrictStudy } from "./description/restrict-study.ts";
export type {
  BarrierMeasurement,
  MeasurementDescription,
  RepeatedNetwork,
  StudyDescription,
} from "./description/study-description.ts";
export type {
  ColumnDescription,
  ColumnSource,
  FigureDescription,
  TableDescription,
} from "./description/table-description.ts";
export type { WantedValues } from "./description/wanted-values.ts";
export { readStudy } from "./file/read-study.ts";
export { studyJsonSchema } from "./file/study-json-schema.ts";
export type { NetworkMeasurement } from "./measurement/subjects/network.ts";
export { addNetworkMaker, takenByStudies } from "./networks/add-network-maker.ts";
export type { CollectedStudyNetwork } from "./networks/collect.ts";
export type { LoadedNetwork } from "./networks/load.ts";
export type {
  ConnectivityTunedNetwork,
  NetworkDescription,
  QuantizedStudyNetwork,
  TeleportedStudyNetwork,
} from "./networks/makers.ts";
export type { PrunedStudyNetwork } from "./networks/prune.ts";
export type { ScatteredStudyNetwork } from "./networks/scatter.ts";
export type { StarNetwork } from "./networks/star.ts";
export type { EvolvedTicket, GradientTicket } from "./networks/tickets.ts";
export type { TrainedNetwork } from "./networks/train.ts";
export type { TunedNetwork } from "./networks/tune.ts";
export { planStudy, type StudyPlan } from "./plan/plan-study.ts";
export type { PlannedMeasurement } from "./plan/planned-measurement.ts";
export type { PlanPorts } from "./plan/planner.ts";
export {
  collectStudy,
  listMissing,
  type RunStudyOptions,
  type RunStudyResult,
  runStudy,
} from "./run-study.ts";
export { shapeOfFields } from "./schema/zod-of-form.ts";
export type {
  StudyColumn,
  StudyFigure,
  StudyGroup,
  StudyMeasured,
  StudyResult,
  StudyTable,
  StudyValue,
} from "./study-result.ts";
export { STUDY_RESULT } from "./study-result-kind.ts";
export type { StudyPorts } from "./tasks/task-kind.ts";
export { loadStudyTasks } from "./tasks/task-kinds.ts";

export { collectStudy } from "./collect/collect-study.ts";
export { assertStudySize } from "./description/assert-study-size.ts";
export { restrictStudy } from "./description/restrict-study.ts";
export type {
  AlignChoice,
  BarrierMeasurement,
  LayersMeasurement,
  LoadedNetwork,
  MeasurementDescription,
  NetworkDescription,
  PairChoice,
  PairMeasurement,
  PairSelection,
  Repeated,
  RepeatedNetwork,
  StarNetwork,
  StudyDescription,
  Templated,
  TrainedNetwork,
  Variables,
} from "./description/study-description.ts";
export type {
  ColumnDescription,
  ColumnSource,
  FigureDescription,
  TableDescription,
} from "./description/table-description.ts";
export { type Unfolded, unfold } from "./description/unfold.ts";
export type { VariableValue, WantedValues } from "./description/variable-values.ts";
export type { PlannedMeasurement } from "./plan/plan-measurement.ts";
export { planStudy, type StudyPlan } from "./plan/plan-study.ts";
export type { PlanPorts } from "./plan/planner.ts";
export type { Task, TaskFile, TaskInputs } from "./plan/task.ts";
export { listMissing, type MissingTasks } from "./run/list-missing.ts";
export { runTask } from "./run/run-task.ts";
export {
  type RunTasksOptions,
  runTasks,
  type TaskFailure,
  type TasksOutcome,
  type TasksProgress,
} from "./run/run-tasks.ts";
export type { TaskAssignment, TaskControl, TaskExecutor } from "./run/task-executor.ts";
export { openTaskStore, readTaskResult, type TaskStore } from "./run/task-store.ts";
export type { TimeLeftEstimate } from "./run/time-left.ts";
export { type RunStudyOptions, type RunStudyResult, runStudy } from "./run-study.ts";
export type {
  StudyColumn,
  StudyFigure,
  StudyGroup,
  StudyMeasured,
  StudyResult,
  StudyTable,
  StudyValue,
} from "./study-result.ts";
export type { TaskContext, TaskPaths } from "./tasks/task-kind.ts";

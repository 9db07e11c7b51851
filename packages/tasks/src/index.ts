export { findMissing, type MissingTasks } from "./find-missing.ts";
export { type GatheredFile, type GatheredFiles, gatherFiles } from "./gather-files.ts";
export { forEachOf, inOrder } from "./in-order.ts";
export { type Journal, type JournalRun, openJournal } from "./journal.ts";
export { type AtOnce, limitAtOnce } from "./limit-at-once.ts";
export { type RunMissingOptions, type RunMissingResult, runMissing } from "./run-missing.ts";
export { runTask } from "./run-task.ts";
export {
  type RunTasksOptions,
  runTasks,
  type TaskFailure,
  type TasksOutcome,
  type TasksProgress,
} from "./run-tasks.ts";
export {
  canonicalJson,
  createTask,
  dependenciesOf,
  type Task,
  type TaskFile,
  type TaskInputs,
  type UserFile,
} from "./task.ts";
export type { TaskAssignment, TaskControl, TaskExecutor } from "./task-executor.ts";
export {
  createTaskKinds,
  pathOf,
  pathsOf,
  type TaskContext,
  type TaskKind,
  type TaskKinds,
  type TaskPaths,
} from "./task-kind.ts";
export {
  openTaskStore,
  readTaskResult,
  TASK_RESULT_FILE,
  TASK_TIME_FILE,
  type TaskStore,
  type TaskTime,
  writeTaskResult,
} from "./task-store.ts";
export { sumByWorker, type WorkerShare } from "./task-times.ts";
export type { TimeLeftEstimate } from "./time-left.ts";
export {
  createProcessExecutor,
  type ProcessExecutor,
  type ProcessExecutorOptions,
} from "./workers/create-process-executor.ts";
export {
  createThreadExecutor,
  type ThreadExecutor,
  type ThreadExecutorOptions,
} from "./workers/create-thread-executor.ts";
export { describeError, type ErrorDescription, reviveError } from "./workers/error-description.ts";
export { serveTasks } from "./workers/serve-tasks.ts";
export { isLostWorker } from "./workers/task-worker.ts";

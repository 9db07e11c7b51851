export {
  createQueueExecutor,
  type QueueExecutor,
  type QueueExecutorOptions,
} from "./executor/create-queue-executor.ts";
export type { DownloadEstimate, DownloadModelOptions } from "./hub/download-model.ts";
export type { HubPatience } from "./hub/hub-client.ts";
export { type HubSettings, readHubSettings } from "./hub/hub-settings.ts";
export { createHubSource, type HubSourceOptions } from "./hub/hub-source.ts";
export {
  assertMayPush,
  type PushedCommit,
  type PushedFile,
  type PushFolderOptions,
  pushFolder,
} from "./hub/push-folder.ts";
export { endWithin } from "./queue/bullmq/end-within.ts";
export { cancelTasks, describeQueue, type QueueDescription, retryTasks } from "./queue/manage-queue.ts";
export { type OpenQueueOptions, openQueue } from "./queue/open-queue.ts";
export type { QueuePatience } from "./queue/queue-patience.ts";
export type { QueuedTask } from "./queue/queued-task.ts";
export {
  QUEUE_STATES,
  type QueueCounts,
  type QueueEntry,
  type QueueEvent,
  type QueueServer,
  type QueueState,
  type QueueWorker,
  type ServeQueueOptions,
  type TaskHandler,
  type TaskOutcome,
  type TaskQueue,
} from "./queue/task-queue.ts";
export { isS3, openStorage, type StorageOptions } from "./storage/open-storage.ts";
export type { PublishedResult, TaskPlace, TaskStorage } from "./storage/task-storage.ts";
export type { EndedTask } from "./worker/handle-task.ts";
export { runWorker, type TaskWorker, type WorkerOptions, type WorkerStatus } from "./worker/run-worker.ts";
export { type StatusServer, serveWorkerStatus } from "./worker/serve-status.ts";

export { type QueueMergeOptions, queueMerge } from "./merge/queue-merge.ts";
export type { NamedExamples } from "./pairs/pairs-data.ts";
export { queuePairs } from "./pairs/queue-pairs.ts";
export { openQueueExecutor, type QueueExecutorPlaces, type QueuePlaces } from "./queue/open-queue.ts";
export {
  type FollowStep,
  type QueuedWork,
  type QueueTasks,
  tasksFolderOf,
  withQueue,
} from "./queue/with-queue.ts";
export {
  type QueuedCandidates,
  type QueuedSearchOptions,
  queueCandidates,
} from "./search/queue-candidates.ts";
export { type StartedWorker, type StartWorkerOptions, startWorker } from "./start-worker.ts";

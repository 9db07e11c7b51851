export { type QueuedTask, queueTask } from "./queue/queued-task.ts";
export type { QueueCounts, QueueEntry, QueueEvent, QueueState, TaskQueue } from "./queue/task-queue.ts";
export { openStorage, type StorageOptions } from "./storage/open-storage.ts";
export type { PublishedResult, TaskPlace, TaskStorage } from "./storage/task-storage.ts";

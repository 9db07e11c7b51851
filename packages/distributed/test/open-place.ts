import { openBullQueue } from "../src/queue/bullmq/open-bull-queue.ts";
import type { TaskQueue } from "../src/queue/task-queue.ts";

/** Opens a queue of BullMQ by its URL, whose fragment is the name of the queue. */
export function openPlace(place: string): Promise<TaskQueue> {
  const url = new URL(place);
  const name = url.hash.slice(1);
  url.hash = "";
  return openBullQueue(url, { name });
}

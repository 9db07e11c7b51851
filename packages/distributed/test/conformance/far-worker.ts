// A worker in a process of its own, to be killed or frozen. Its tasks run until they are aborted, and then claim to be bad.
//
//   far-worker.ts ADDRESS NAME OPTIONS
import { once } from "node:events";
import { describeError } from "@isthmus/tasks";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { ServeQueueOptions, TaskHandler } from "../../src/queue/task-queue.ts";

const [, , address = "", name = "", options = ""] = process.argv;
const say = (sentence: string): void => void process.send?.(sentence);

const handle: TaskHandler = async ({ id }, { signal, onProgress }) => {
  say(`started ${id}`);
  onProgress(0.5);
  if (!signal.aborted) await once(signal, "abort");
  say(`aborted ${id}`);
  return { kind: "failed", error: describeError(new Error("aborted")), again: false };
};

const queue = await openQueue(address, { name });
const server = await queue.serve(handle, JSON.parse(options) as ServeQueueOptions);
// Told to end, it closes what it has opened: nothing else may keep its process alive then.
process.once("message", async () => {
  await server.drain();
  await queue.close();
  process.disconnect();
});
say("serves");

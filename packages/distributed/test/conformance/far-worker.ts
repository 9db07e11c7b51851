// A worker in a process of its own, to be killed or frozen. Its tasks run until they are aborted, and then claim to be bad.
//
//   far-worker.ts MODULE PLACE OPTIONS
import { once } from "node:events";
import { describeError } from "@isthmus/tasks";
import type { ServeOptions, TaskHandler, TaskQueue } from "../../src/queue/task-queue.ts";

const [, , module = "", place = "", options = ""] = process.argv;
const { openPlace } = (await import(module)) as { openPlace(place: string): Promise<TaskQueue> };
const say = (sentence: string): void => void process.send?.(sentence);

const handle: TaskHandler = async ({ id }, { signal, onProgress }) => {
  say(`started ${id}`);
  onProgress(0.5);
  if (!signal.aborted) await once(signal, "abort");
  say(`aborted ${id}`);
  return { kind: "failed", error: describeError(new Error("aborted")), again: false };
};

const queue = await openPlace(place);
const server = await queue.serve(handle, JSON.parse(options) as ServeOptions);
// Told to end, it closes what it has opened: nothing else may keep its process alive then.
process.once("message", async () => {
  await server.drain();
  await queue.close();
  process.disconnect();
});
say("serves");

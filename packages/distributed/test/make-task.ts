import { createTask } from "@isthmus/tasks";
import { type QueuedTask, queueTask } from "../src/queue/queued-task.ts";

/** Makes a task of a kind that nobody runs; tasks with other numbers have other keys. */
export function makeTask(number: number, store = "runs/a"): QueuedTask {
  const inputs = { model: [{ path: "models/a.safetensors", digest: "0f" }] };
  const task = createTask({ name: "square", version: 1 }, "node", {
    params: { of: number },
    inputs,
    label: `the square of ${number}`,
  });
  return queueTask(task, { engine: "node", store, directory: "work", root: "/shared" });
}

import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { QueuedTask } from "../queue/queued-task.ts";
import type { TaskQueue } from "../queue/task-queue.ts";
import type { TaskPlace, TaskStorage } from "../storage/task-storage.ts";
import { createAwaitedTasks } from "./awaited-tasks.ts";

const queued: QueuedTask = {
  ...{ id: "a-1", engine: "none", store: "s", directory: "", root: "/" },
  task: { key: "a", kind: "k", label: "l", params: {}, inputs: {} },
};
const control = { signal: new AbortController().signal, onProgress() {} };

/** A storage of one result, which takes until a test says so to collect, and a queue that has lost all. */
function openPorts() {
  const added: string[] = [];
  let isPublished = false;
  let collected = 0;
  let finish = (): void => {};
  const collecting = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const storage: Pick<TaskStorage, "name" | "read" | "collect"> = {
    name: "storage",
    read: async (_: TaskPlace) => (isPublished ? { sum: 3 } : undefined),
    async collect() {
      collected++;
      await collecting;
    },
  };
  const queue: Pick<TaskQueue, "add" | "find"> = {
    add: async (tasks) => void added.push(...tasks.map(({ id }) => id)),
    find: async (ids) => ids.map(() => undefined),
  };
  const tasks = createAwaitedTasks({
    ...{ queue: queue as TaskQueue, storage: storage as TaskStorage },
    tell() {},
  });
  return {
    ...{ tasks, added, finish },
    publish: (to: boolean) => {
      isPublished = to;
    },
    collected: () => collected,
  };
}

describe("createAwaitedTasks()", () => {
  it("collects a result once, however often it is looked at meanwhile", async () => {
    const { tasks, added, finish, publish, collected } = openPorts();
    const ended = tasks.wait(queued, "folder", control);
    await setImmediate();
    await tasks.flush();
    publish(true);
    tasks.receive({ kind: "done", id: queued.id, worker: "w" } as never);
    const looks = [tasks.look(), tasks.look()];
    await setImmediate();
    finish();
    expect(await ended).toEqual({ sum: 3 });
    await Promise.all(looks);
    expect([collected(), added]).toEqual([1, [queued.id]]);
  });

  it("does not queue a task again that ended, and was removed, while it was looked for", async () => {
    const { tasks, added, finish, publish } = openPorts();
    const other = { ...queued, id: "b-1", task: { ...queued.task, key: "b" } };
    const first = tasks.wait(queued, "folder", control);
    const second = tasks.wait(other, "folder", control);
    await setImmediate();
    await tasks.flush();
    publish(true);
    const look = tasks.look();
    for (const { id } of [queued, other]) tasks.receive({ kind: "done", id, worker: "w" } as never);
    await setImmediate();
    finish();
    await Promise.all([first, second]);
    // Whoever waited has taken what it needs.
    publish(false);
    await look;
    await tasks.flush();
    expect(added).toEqual([queued.id, other.id]);
  });
});

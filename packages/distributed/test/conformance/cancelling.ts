import { describeError } from "@isthmus/tasks";
import { describe, expect, it } from "vitest";
import { makeTask } from "../make-task.ts";
import { aborted, type QueueBench, until, untilCounts } from "./queue-bench.ts";

const ERROR = describeError(new Error("stopped"));

/** Describes how tasks are taken out. */
export function describeCancelling(bench: () => QueueBench): void {
  describe("cancelling", () => {
    it("takes waiting and failed tasks out at once", () => cancelIdle(bench()));
    it("stops running tasks and takes them out, whatever comes of them", () => cancelRunning(bench()));
    it("runs a task that is added again after it was cancelled", () => addCancelled(bench()));
  });
}

async function cancelIdle({ queue, serve }: QueueBench): Promise<void> {
  const [failing, waiting, left] = [makeTask(1), makeTask(2), makeTask(3)];
  const server = await serve(async () => ({ kind: "failed", error: ERROR, again: false }));
  await queue.add([failing]);
  await untilCounts(queue, [0, 0, 1]);
  await server.drain();
  await queue.add([waiting, left]);
  expect(await queue.cancel([failing.id, waiting.id, "nothing-0"])).toBe(2);
  expect(await queue.count()).toEqual({ waiting: 1, running: 0, failed: 0 });
  expect(await queue.find([failing.id, waiting.id])).toEqual([undefined, undefined]);
  const seen: string[] = [];
  await serve(async ({ id }) => {
    seen.push(id);
    return { kind: "done", seconds: 0.1 };
  });
  await untilCounts(queue, [0, 0, 0]);
  expect(seen).toEqual([left.id]);
}

async function cancelRunning({ queue, serve }: QueueBench): Promise<void> {
  const tasks = [1, 2, 3, 4].map((number) => makeTask(number));
  const outcomes = [
    { kind: "released" },
    { kind: "failed", error: ERROR, again: true },
    { kind: "failed", error: ERROR, again: false },
    { kind: "done", seconds: 0.1 },
  ] as const;
  const seen: string[] = [];
  await serve(async ({ id }, { signal }) => {
    seen.push(id);
    await aborted(signal);
    return outcomes[tasks.findIndex((task) => task.id === id)] ?? { kind: "released" };
  });
  await queue.add(tasks);
  await untilCounts(queue, [0, 4, 0]);
  await until(() => expect(seen).toHaveLength(4));
  expect(await queue.cancel(tasks.map(({ id }) => id))).toBe(4);
  await untilCounts(queue, [0, 0, 0]);
  expect(seen).toHaveLength(4);
}

async function addCancelled({ queue, serve }: QueueBench): Promise<void> {
  const task = makeTask(1);
  let times = 0;
  await serve(async (_task, { signal }) => {
    if (++times === 1) await aborted(signal);
    return signal.aborted ? { kind: "released" } : { kind: "done", seconds: 0.1 };
  });
  await queue.add([task]);
  await until(() => expect(times).toBe(1));
  await queue.cancel([task.id]);
  await untilCounts(queue, [0, 0, 0]);
  await queue.add([task]);
  await until(() => expect(times).toBe(2));
  await untilCounts(queue, [0, 0, 0]);
}

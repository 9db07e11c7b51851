import { EventEmitter, once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { at, createRandom } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import type { QueuedTask } from "../../src/queue/queued-task.ts";
import type { QueueEvent, TaskHandler } from "../../src/queue/task-queue.ts";
import { makeTask } from "../make-task.ts";
import { type QueueBench, until, untilCounts } from "./queue-bench.ts";

const DONE = { kind: "done", seconds: 0.1 } as const;
const RELEASED = { kind: "released" } as const;

/** Describes how tasks come to workers. */
export function describeHandingOut(bench: () => QueueBench): void {
  describe("handing out", () => {
    it("hands each of 300 tasks to one worker at a time, and loses none, nor that it is done", () =>
      shareTasks(bench()));
    it("hands over the task as it was added", () => handOver(bench()));
    it("leaves a task alone that is waiting or running when it is added again", () => addAgain(bench()));
    it("runs no more tasks at once than a worker has room for", () => fillCapacity(bench()));
    it("waits for running tasks while it drains, and takes no more", () => drainServer(bench()));
    it("hands a task that was released out again, without counting it as tried", () => release(bench()));
  });
}

async function shareTasks({ queue, serve, gather }: QueueBench): Promise<void> {
  const tasks = Array.from({ length: 300 }, (_, number) => makeTask(number));
  const events = await gather("runs/a");
  const random = createRandom(1, "pauses");
  const running = new Set<string>();
  const done: string[] = [];
  const twice: string[] = [];
  const handle: TaskHandler = async ({ id }) => {
    if (running.has(id)) twice.push(id);
    running.add(id);
    await setTimeout(random.uniform() * 5);
    running.delete(id);
    done.push(id);
    return DONE;
  };
  await queue.add(tasks.slice(0, 200));
  await Promise.all([serve(handle, { worker: "one" }), serve(handle, { worker: "two" })]);
  await queue.add(tasks.slice(150));
  await untilCounts(queue, [0, 0, 0]);
  expect(twice).toEqual([]);
  // A task that was done before it was added again may be done again: results count by what is published.
  expect([...new Set(done)].sort()).toEqual(tasks.map(({ id }) => id).sort());
  expect(done.length).toBeLessThanOrEqual(350);
  await until(() => expect(idsOf(events, "done")).toEqual(tasks.map(({ id }) => id).sort()));
}

function idsOf(events: readonly QueueEvent[], kind: QueueEvent["kind"]): readonly string[] {
  return [...new Set(events.filter((event) => event.kind === kind).map(({ id }) => id))].sort();
}

async function handOver({ queue, serve }: QueueBench): Promise<void> {
  const task = makeTask(7);
  const seen: QueuedTask[] = [];
  await serve(async (one) => {
    seen.push(one);
    return DONE;
  });
  await queue.add([]);
  await queue.add([task]);
  await untilCounts(queue, [0, 0, 0]);
  expect(seen).toEqual([task]);
  expect(await queue.find([task.id])).toEqual([undefined]);
}

async function addAgain({ queue, serve, open }: QueueBench): Promise<void> {
  const task = makeTask(1);
  await queue.add([task, makeTask(2)]);
  await (await open()).add([task]);
  expect(await queue.count()).toEqual({ waiting: 2, running: 0, failed: 0 });
  const { handle, seen, finish } = holdTasks();
  await serve(handle);
  await untilCounts(queue, [0, 2, 0]);
  await queue.add([task]);
  expect(await queue.count()).toEqual({ waiting: 0, running: 2, failed: 0 });
  finish();
  await untilCounts(queue, [0, 0, 0]);
  expect([...seen].sort()).toEqual([task.id, makeTask(2).id].sort());
}

async function fillCapacity({ queue, serve }: QueueBench): Promise<void> {
  let running = 0;
  let most = 0;
  const handle: TaskHandler = async () => {
    most = Math.max(most, ++running);
    // None ends before as many run as ever will.
    await until(() => expect(most).toBeGreaterThanOrEqual(3));
    await setTimeout(5);
    running--;
    return DONE;
  };
  await queue.add(Array.from({ length: 12 }, (_, number) => makeTask(number)));
  await serve(handle, { capacity: 3 });
  await untilCounts(queue, [0, 0, 0]);
  expect(most).toBe(3);
}

async function drainServer({ queue, serve }: QueueBench): Promise<void> {
  const { handle, seen, finish } = holdTasks();
  const server = await serve(handle, { capacity: 2 });
  await queue.add(Array.from({ length: 5 }, (_, number) => makeTask(number)));
  await until(() => expect(server.running).toBe(2));
  let drained = false;
  const draining = server.drain().then(() => {
    drained = true;
  });
  await setTimeout(200);
  expect([drained, server.running]).toEqual([false, 2]);
  finish();
  await draining;
  expect([seen.length, server.running]).toEqual([2, 0]);
  expect(await queue.count()).toEqual({ waiting: 3, running: 0, failed: 0 });
}

async function release({ queue, serve }: QueueBench): Promise<void> {
  let times = 0;
  // The second time its worker has no room for it.
  const outcomes = [RELEASED, { ...RELEASED, reason: "the disk must have room" }, RELEASED, RELEASED, DONE];
  await serve(async () => at(outcomes, times++), { attempts: 1, capacity: 1 });
  await queue.add([makeTask(1)]);
  await untilCounts(queue, [0, 0, 0]);
  expect(times).toBe(5);
}

/** A handler whose tasks run until they are all finished. */
function holdTasks(): { handle: TaskHandler; seen: readonly string[]; finish(): void } {
  const seen: string[] = [];
  const gate = new EventEmitter();
  const opened = once(gate, "open");
  const handle: TaskHandler = async ({ id }) => {
    seen.push(id);
    await opened;
    return DONE;
  };
  return { handle, seen, finish: () => void gate.emit("open") };
}

import { describeError } from "@isthmus/tasks";
import { describe, expect, it } from "vitest";
import type { QueueEvent } from "../../src/queue/task-queue.ts";
import { makeTask } from "../make-task.ts";
import { aborted, PATIENCE, type QueueBench, until, untilCounts } from "./queue-bench.ts";

const ERROR = describeError(new Error("disk full"));

/** Describes what a queue says of tasks and workers. */
export function describeLooking(bench: () => QueueBench): void {
  describe("looking", () => {
    it("finds tasks by their ids, in their order, with who runs them", () => findTasks(bench()));
    it("lists at most so many tasks of a state", () => listTasks(bench()));
    it("lists workers until they are drained", () => listWorkers(bench()));
    it("tells who follows a store what happens to its tasks, and to no others", () => followStore(bench()));
    it("tells who follows of faults and failures", () => followFaults(bench()));
  });
}

async function findTasks({ queue, serve }: QueueBench): Promise<void> {
  const [task, other] = [makeTask(1), makeTask(2, "runs/b")];
  await queue.add([task]);
  const waiting = {
    id: task.id,
    label: "the square of 1",
    kind: "square",
    store: "runs/a",
    state: "waiting",
  };
  const [first] = await queue.find([task.id]);
  expect(first).toEqual(waiting);
  const server = await serve(
    async (_task, { signal, onProgress }) => {
      onProgress(0.25);
      await aborted(signal);
      return { kind: "released" };
    },
    { capacity: 1, worker: "machine 7:1" },
  );
  await until(async () => {
    const [entry] = await queue.find([task.id]);
    expect(entry).toMatchObject({ ...waiting, state: "running", worker: "machine 7:1", done: 0.25 });
    expect(Math.abs(Number(entry?.began) - Date.now())).toBeLessThan(60_000);
  });
  await queue.add([other]);
  const entries = await queue.find([other.id, "nothing-0", task.id]);
  expect(entries.map((entry) => entry?.id)).toEqual([other.id, undefined, task.id]);
  expect(entries.map((entry) => entry?.store)).toEqual(["runs/b", undefined, "runs/a"]);
  await queue.cancel([task.id, other.id]);
  await server.drain();
}

async function listTasks({ queue, serve }: QueueBench): Promise<void> {
  const tasks = Array.from({ length: 5 }, (_, number) => makeTask(number));
  const server = await serve(async () => ({ kind: "failed", error: ERROR, again: false }));
  await queue.add(tasks.slice(0, 2));
  await untilCounts(queue, [0, 0, 2]);
  await server.drain();
  await queue.add(tasks.slice(2));
  const idsOf = async (state: "waiting" | "running" | "failed", limit: number): Promise<readonly string[]> =>
    (await queue.list(state, limit)).map(({ id }) => id).sort();
  const idsFrom = (start: number, end: number): readonly string[] =>
    tasks
      .slice(start, end)
      .map(({ id }) => id)
      .sort();
  expect(await idsOf("failed", 10)).toEqual(idsFrom(0, 2));
  expect(await idsOf("waiting", 10)).toEqual(idsFrom(2, 5));
  expect(await idsOf("running", 10)).toEqual([]);
  expect(await idsOf("waiting", 2)).toHaveLength(2);
  expect(await idsOf("failed", 1)).toHaveLength(1);
}

async function listWorkers({ queue, serve }: QueueBench): Promise<void> {
  expect(await queue.workers()).toEqual([]);
  const handle = async () => ({ kind: "released" }) as const;
  const server = await serve(handle, { worker: "machine 7:1" });
  await serve(handle, { worker: "b" });
  const names = async (): Promise<readonly string[]> =>
    (await queue.workers()).map(({ name }) => name).sort();
  await until(async () => expect(await names()).toEqual(["b", "machine 7:1"]));
  await server.drain();
  await until(async () => expect(await names()).toEqual(["b"]));
  const namesake = await serve(handle, { worker: "b" });
  await until(async () => expect(await names()).toEqual(["b", "b"]));
  await namesake.drain();
  await until(async () => expect(await names()).toEqual(["b"]));
}

async function followStore({ queue, serve, gather, open }: QueueBench): Promise<void> {
  const [task, other] = [makeTask(1, "runs/a"), makeTask(1, "runs/b")];
  const [events, others] = [await gather("runs/a"), await gather("runs/b")];
  const late: QueueEvent[] = [];
  const end = await (await open()).follow("runs/a", (event) => late.push(event));
  await end();
  await serve(async (_task, { onProgress }) => {
    onProgress(0.5);
    await until(() => expect([...events, ...others].map(({ kind }) => kind)).toContain("progress"));
    return { kind: "done", seconds: 0.5 };
  });
  await queue.add([task, other]);
  await until(() => {
    for (const seen of [events, others]) expect(seen.map(({ kind }) => kind)).toContain("done");
  });
  const { id } = task;
  expect(events[0]).toEqual({ id, kind: "started", worker: "near" });
  expect(events.at(-1)).toEqual({ id, kind: "done", worker: "near", seconds: 0.5 });
  const progress = { id, kind: "progress", worker: "near", done: 0.5 };
  for (const event of events.slice(1, -1)) expect(event).toEqual(progress);
  expect(new Set(others.map((event) => event.id))).toEqual(new Set([other.id]));
  expect(late).toEqual([]);
}

async function followFaults({ queue, serve, gather }: QueueBench): Promise<void> {
  const task = makeTask(1);
  const events = await gather(task.store);
  await serve(async () => ({ kind: "failed", error: ERROR, again: true }));
  await queue.add([task]);
  await until(() => expect(events.map(({ kind }) => kind)).toContain("failed"));
  const said = events.filter(({ kind }) => kind === "retried" || kind === "failed");
  expect(said).toHaveLength(PATIENCE.attempts);
  expect(said[0]).toMatchObject({
    id: task.id,
    kind: "retried",
    reason: expect.stringContaining("disk full"),
  });
  expect(said.at(-1)).toEqual({ id: task.id, kind: "failed", error: ERROR });
  expect(said.slice(0, -1).map(({ kind }) => kind)).toEqual(["retried", "retried"]);
}

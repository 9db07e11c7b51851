import { InputError } from "@isthmus/core";
import { describeError, reviveError } from "@isthmus/tasks";
import { describe, expect, it } from "vitest";
import type { QueueEntry, TaskOutcome } from "../../src/queue/task-queue.ts";
import { makeTask } from "../make-task.ts";
import { PATIENCE, type QueueBench, until, untilCounts } from "./queue-bench.ts";

const BAD = new InputError("Cannot read a.safetensors as it is empty", { input: "a.safetensors" });
const BAD_INPUT: TaskOutcome = { kind: "failed", error: describeError(BAD), again: false };
const FAULT: TaskOutcome = { kind: "failed", error: describeError(new Error("disk full")), again: true };
const DONE: TaskOutcome = { kind: "done", seconds: 0.1 };

/** Describes what becomes of tasks that fail. */
export function describeFailing(bench: () => QueueBench): void {
  describe("failing", () => {
    it("tries a task with bad input once, and has its error with class and fields", () =>
      failAtOnce(bench()));
    it("tries a task again after faults, so many times in all", () => failAgain(bench()));
    it("forgets a task that is done after a fault", () => recover(bench()));
    it("tries a failed task again when it is added again", () => addFailed(bench()));
    it("retry() tries failed tasks again, as often as new ones", () => retryFailed(bench()));
  });
}

async function failAtOnce({ queue, serve }: QueueBench): Promise<void> {
  const task = makeTask(1);
  let times = 0;
  await serve(async () => {
    times++;
    return BAD_INPUT;
  });
  await queue.add([task]);
  await untilCounts(queue, [0, 0, 1]);
  const [entry] = await queue.find([task.id]);
  expect(entry).toMatchObject({
    id: task.id,
    label: "the square of 1",
    kind: "square",
    store: "runs/a",
    state: "failed",
    worker: "near",
  });
  const error = reviveError(errorOf(entry));
  expect(error).toBeInstanceOf(InputError);
  expect([error.message, error.stack, (error as InputError).input]).toEqual([
    BAD.message,
    BAD.stack,
    BAD.input,
  ]);
  expect(await queue.list("failed", 10)).toEqual([entry]);
  expect(times).toBe(1);
}

async function failAgain({ queue, serve }: QueueBench): Promise<void> {
  const task = makeTask(1);
  const before: (QueueEntry | undefined)[] = [];
  await serve(async () => {
    const [entry] = await queue.find([task.id]);
    before.push(entry);
    return FAULT;
  });
  await queue.add([task]);
  await untilCounts(queue, [0, 0, 1]);
  expect(before.map((entry) => entry?.state)).toEqual(["running", "running", "running"]);
  expect(before.map((entry) => entry?.error?.message)).toEqual([undefined, "disk full", "disk full"]);
  const [entry] = await queue.find([task.id]);
  expect(errorOf(entry).message).toBe("disk full");
}

async function recover({ queue, serve }: QueueBench): Promise<void> {
  const task = makeTask(1);
  let times = 0;
  await serve(async () => (++times < PATIENCE.attempts ? FAULT : DONE));
  await queue.add([task]);
  await untilCounts(queue, [0, 0, 0]);
  expect(times).toBe(PATIENCE.attempts);
  expect(await queue.find([task.id])).toEqual([undefined]);
}

async function addFailed({ queue, serve }: QueueBench): Promise<void> {
  const tasks = [makeTask(1), makeTask(2)];
  const seen: string[] = [];
  await serve(async (task) => {
    seen.push(`${task.id} in ${task.directory}`);
    return task.directory === "work" ? BAD_INPUT : DONE;
  });
  await queue.add(tasks);
  await untilCounts(queue, [0, 0, 2]);
  const moved = { ...makeTask(2), directory: "elsewhere" };
  await queue.add([moved, makeTask(3)]);
  await until(() => expect(seen).toHaveLength(4));
  await untilCounts(queue, [0, 0, 2]);
  expect(seen).toContain(`${moved.id} in elsewhere`);
}

async function retryFailed({ queue, serve }: QueueBench): Promise<void> {
  const tasks = [makeTask(1), makeTask(2)];
  const ids = tasks.map(({ id }) => id);
  let good = false;
  let times = 0;
  const server = await serve(async () => {
    times++;
    return good ? DONE : FAULT;
  });
  await queue.add(tasks);
  await untilCounts(queue, [0, 0, 2]);
  expect(times).toBe(2 * PATIENCE.attempts);
  expect(await queue.retry(ids.slice(0, 1))).toBe(1);
  await until(() => expect(times).toBe(3 * PATIENCE.attempts));
  await untilCounts(queue, [0, 0, 2]);
  await server.drain();
  good = true;
  expect(await queue.retry([...ids, "nothing-0"])).toBe(2);
  expect(await queue.retry(ids)).toBe(0);
  expect((await queue.find(ids)).map((entry) => entry?.error?.message)).toEqual(["disk full", "disk full"]);
  await serve(async () => DONE);
  await untilCounts(queue, [0, 0, 0]);
}

function errorOf(entry: QueueEntry | undefined): NonNullable<QueueEntry["error"]> {
  if (entry?.error === undefined) throw new Error("the task has no error");
  return entry.error;
}

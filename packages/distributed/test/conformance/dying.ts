import { describeError } from "@isthmus/tasks";
import { describe, expect, it } from "vitest";
import { makeTask } from "../make-task.ts";
import { PATIENCE, type QueueBench, until, untilCounts } from "./queue-bench.ts";

const DONE = { kind: "done", seconds: 0.1 } as const;
const KILLED = describeError(new Error("it was ended by SIGKILL"));
const DIED = { kind: "failed", again: true, died: true, error: KILLED } as const;

/** Describes what becomes of tasks whose workers die. */
export function describeDying(bench: () => QueueBench): void {
  describe("dying", () => {
    it("gives the task of a worker that was killed to another", () => takeOver(bench()));
    it("sets a task aside that killed its workers, until it is retried", () => setAside(bench()));
    it("sets a task aside that killed the processes of its workers, until it is retried", () =>
      setAsideDead(bench()));
    it("counts deaths of workers and of processes together", () => countTogether(bench()));
    it("takes the task from a worker that froze, and tells it when it wakes", () => freeze(bench()));
  });
}

async function takeOver({ queue, serve, serveFar, gather }: QueueBench): Promise<void> {
  const task = makeTask(1);
  const events = await gather(task.store);
  const far = await serveFar("far");
  await queue.add([task]);
  await until(() => expect(far.said).toContain(`started ${task.id}`));
  expect(await queue.find([task.id])).toMatchObject([{ state: "running", worker: "far" }]);
  await far.kill();
  let times = 0;
  await serve(async () => {
    times++;
    return DONE;
  });
  await untilCounts(queue, [0, 0, 0]);
  expect(times).toBe(1);
  await until(() => expect(events.map(({ kind }) => kind)).toContain("done"));
  expect(events.map(({ kind }) => kind)).toContain("retried");
}

async function setAside({ queue, serve, serveFar }: QueueBench): Promise<void> {
  const task = makeTask(1);
  await queue.add([task]);
  for (const worker of ["first", "second"]) {
    const far = await serveFar(worker);
    await until(() => expect(far.said).toContain(`started ${task.id}`));
    await until(async () => expect(await queue.find([task.id])).toMatchObject([{ worker }]));
    await far.kill();
  }
  let times = 0;
  await serve(async () => {
    times++;
    return DONE;
  });
  await untilCounts(queue, [0, 0, 1]);
  expect(times).toBe(0);
  const [entry] = await queue.find([task.id]);
  expect(entry?.error?.message).toMatch(/2 workers .*died.*second/);
  expect(await queue.retry([task.id])).toBe(1);
  await untilCounts(queue, [0, 0, 0]);
  expect(times).toBe(1);
}

async function setAsideDead({ queue, serve, gather }: QueueBench): Promise<void> {
  const task = makeTask(1);
  const events = await gather(task.store);
  let times = 0;
  await serve(async () => (++times <= 2 * PATIENCE.deaths ? DIED : DONE));
  await queue.add([task]);
  await untilCounts(queue, [0, 0, 1]);
  expect(times).toBe(PATIENCE.deaths);
  const [entry] = await queue.find([task.id]);
  expect(entry?.error?.message).toMatch(/2 workers .*died.* near \(it was ended by SIGKILL\)/);
  await until(() => expect(events.at(-1)).toMatchObject({ kind: "failed", error: entry?.error }));
  expect(events).toContainEqual({ id: task.id, kind: "retried", reason: "it was ended by SIGKILL" });
  // It is tried as often as a new one.
  expect(await queue.retry([task.id])).toBe(1);
  await untilCounts(queue, [0, 0, 1]);
  expect(times).toBe(2 * PATIENCE.deaths);
  expect(await queue.retry([task.id])).toBe(1);
  await untilCounts(queue, [0, 0, 0]);
}

async function countTogether({ queue, serve, serveFar }: QueueBench): Promise<void> {
  const task = makeTask(1);
  await queue.add([task]);
  const far = await serveFar("far");
  await until(() => expect(far.said).toContain(`started ${task.id}`));
  await far.kill();
  let times = 0;
  await serve(async () => {
    times++;
    return DIED;
  });
  await untilCounts(queue, [0, 0, 1]);
  expect(times).toBe(1);
  expect((await queue.find([task.id]))[0]?.error?.message).toMatch(/2 workers .*died.* near/);
}

async function freeze({ queue, serve, serveFar }: QueueBench): Promise<void> {
  const task = makeTask(1);
  const far = await serveFar("far");
  await queue.add([task]);
  await until(() => expect(far.said).toContain(`started ${task.id}`));
  far.child.kill("SIGSTOP");
  let signal: AbortSignal | undefined;
  const other = await serve(async (_task, control) => {
    signal = control.signal;
    // Long enough for the one that wakes to notice, and to say that the task failed.
    await until(() => expect(far.said).toContain(`aborted ${task.id}`));
    return DONE;
  });
  await until(() => expect(other.running).toBe(1));
  far.child.kill("SIGCONT");
  await untilCounts(queue, [0, 0, 0]);
  expect(signal?.aborted).toBe(false);
}

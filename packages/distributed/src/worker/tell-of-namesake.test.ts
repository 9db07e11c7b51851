import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { QueueWorker, TaskQueue } from "../queue/task-queue.ts";
import { tellOfNamesake } from "./tell-of-namesake.ts";

let workers: QueueWorker[] = [];
let said: string[] = [];
const queue = { workers: async () => workers } as Pick<TaskQueue, "workers"> as TaskQueue;
const watch = (name: string) =>
  tellOfNamesake(queue, name, { pause: 1000, tell: (sentence) => said.push(sentence) });

beforeEach(() => {
  vi.useFakeTimers();
  workers = [];
  said = [];
});
afterEach(() => void vi.useRealTimers());

describe("tellOfNamesake()", () => {
  it("tellOfNamesake() tells of a worker that is there before, once, and when it was seen", async () => {
    workers = [{ name: "a", silent: 12.3 }, { name: "b" }];
    const started = [await watch("a"), await watch("b"), await watch("c")];
    for (const one of started) one.begin();
    workers = workers.flatMap((worker) => [worker, worker]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(said).toEqual([
      "another worker of this name was seen 12 s ago; results cannot be told apart; give one of them another --name",
      "another worker of this name is connected; results cannot be told apart; give one of them another --name",
    ]);
  });

  it("tellOfNamesake() tells of a worker that began at the same time, unless this one has ended", async () => {
    const [first, ended] = [await watch("a"), await watch("a")];
    for (const one of [first, ended]) one.begin();
    workers = [{ name: "a" }, { name: "b" }];
    ended.end();
    await vi.advanceTimersByTimeAsync(900);
    workers = [{ name: "a" }, { name: "a" }];
    expect(said).toEqual([]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(said).toHaveLength(1);
  });

  it("tellOfNamesake() leaves a queue that is away to others", async () => {
    const away = { workers: () => Promise.reject(new Error("away")) } as Pick<TaskQueue, "workers">;
    const one = await tellOfNamesake(away as TaskQueue, "a", { pause: 1, tell: (text) => said.push(text) });
    one.begin();
    await vi.advanceTimersByTimeAsync(10);
    expect(said).toEqual([]);
  });
});

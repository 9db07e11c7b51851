import { execFileSync } from "node:child_process";
import { EngineError, InputError, isUsageError, OutOfRangeError } from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleScripts } from "../../../../test/helpers/bundle-scripts.mjs";
import { createThreadExecutor, type ThreadExecutor } from "./create-thread-executor.ts";
import { serveTasks } from "./serve-tasks.ts";

const [SCRIPT, EXECUTOR] = await bundleScripts([
  new URL("../../test/sum-worker.ts", import.meta.url),
  new URL("./create-thread-executor.ts", import.meta.url),
]);
let executor: ThreadExecutor;
beforeEach(() => {
  executor = createThreadExecutor(SCRIPT, { capacity: 2, workerData: 100 });
});
afterEach(() => executor.close());

function run(of: readonly number[], signal = new AbortController().signal, seen: number[] = []) {
  const assignment = { kind: "sum", params: { of }, inputs: {}, folder: "f" };
  return executor.run(assignment, { signal, onProgress: (done) => seen.push(done) });
}

describe("createThreadExecutor()", () => {
  it("createThreadExecutor() runs threads of a program that is given on the command line", () => {
    const program = `
      import { createThreadExecutor } from ${JSON.stringify(EXECUTOR)};
      const executor = createThreadExecutor(new URL(${JSON.stringify(SCRIPT)}), { capacity: 1, workerData: 1 });
      const assignment = { kind: "sum", params: { of: [2] }, inputs: {}, folder: "f" };
      const { signal } = new AbortController();
      console.log(JSON.stringify(await executor.run(assignment, { signal, onProgress() {} })));
      await executor.close();`;
    const flags = ["--input-type=module", "-e", program];
    const output = execFileSync(process.execPath, flags, { encoding: "utf8" });
    expect(JSON.parse(output)).toEqual({ sum: 3 });
  });

  it("createThreadExecutor() runs tasks in threads, side by side and one after the other", async () => {
    const seen: number[] = [];
    const { signal } = new AbortController();
    expect(await Promise.all([run([1, 2], signal, seen), run([3])])).toEqual([{ sum: 103 }, { sum: 103 }]);
    expect(seen).toEqual([0.5]);
    expect(await run([4])).toEqual({ sum: 104 });
  });

  it("createThreadExecutor() fails with an error of the same class and words, and goes on with the next", async () => {
    const failed = run([-1]);
    await expect(failed).rejects.toThrow(/^Cannot add as numbers must be positive: one is -1$/);
    await expect(failed).rejects.toBeInstanceOf(InputError);
    const broken = run([-2]);
    await expect(broken).rejects.toThrow(/^a mistake$/);
    const mistake: unknown = await broken.catch((error: unknown) => error);
    expect(mistake).toBeInstanceOf(TypeError);
    expect(isUsageError(mistake)).toBe(false);
    const outOfRange: unknown = await run([-5]).catch((error: unknown) => error);
    expect(outOfRange).toBeInstanceOf(OutOfRangeError);
    expect(await run([1])).toEqual({ sum: 101 });
  });

  it("createThreadExecutor() says that a thread has ended, and starts another", async () => {
    const lost = run([-3]);
    await expect(lost).rejects.toThrow(/its thread must go on to the end: it ended with code 7/);
    await expect(lost).rejects.toBeInstanceOf(EngineError);
    expect(await run([1])).toEqual({ sum: 101 });
  });

  it("createThreadExecutor() stops a task with its signal", async () => {
    const controller = new AbortController();
    const stopped = run([-4], controller.signal);
    controller.abort();
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(await run([1])).toEqual({ sum: 101 });
  });

  it("serveTasks() refuses to serve outside a worker", () => {
    // The pool of vitest runs tests in processes of their own, not in threads.
    expect(() => serveTasks(async () => ({}))).toThrow(/must be a worker thread/);
  });
});

import { EngineError, InputError } from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleScripts } from "../../../../test/helpers/bundle-scripts.mjs";
import { createProcessExecutor, type ProcessExecutor } from "./create-process-executor.ts";

const [SCRIPT] = await bundleScripts([new URL("../../test/sum-worker.ts", import.meta.url)]);
const lines: string[] = [];
let executor: ProcessExecutor;
beforeEach(() => {
  lines.length = 0;
  executor = createProcessExecutor(SCRIPT, { capacity: 2, onLine: (line) => lines.push(line) });
});
afterEach(() => executor.close());

function run(of: readonly number[], signal = new AbortController().signal) {
  const assignment = { kind: "sum", params: { of }, inputs: {}, folder: "f" };
  return executor.run(assignment, { signal, onProgress() {} });
}

describe("createProcessExecutor()", () => {
  it("createProcessExecutor() runs tasks in processes, side by side and one after the other", async () => {
    expect(await Promise.all([run([1, 2]), run([3])])).toEqual([{ sum: 3 }, { sum: 3 }]);
    expect(await run([4])).toEqual({ sum: 4 });
  });

  it("createProcessExecutor() fails with an error of the same class, says that a process has ended, and goes on", async () => {
    await expect(run([-1])).rejects.toBeInstanceOf(InputError);
    const lost = run([-3]);
    await expect(lost).rejects.toThrow(/its process must go on to the end: it ended with code 7/);
    await expect(lost).rejects.toBeInstanceOf(EngineError);
    expect(await run([1])).toEqual({ sum: 1 });
  });

  it("createProcessExecutor() lets a task go on whose process is told to end with all others", async () => {
    expect(await run([-6, 7])).toEqual({ sum: 1 });
  });

  it("createProcessExecutor() stops a task with its signal", async () => {
    const controller = new AbortController();
    const stopped = run([-4], controller.signal);
    controller.abort();
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  });

  it.skipIf(process.platform !== "linux")(
    "createProcessExecutor() ends a process that takes more memory than it may",
    async () => {
      const small = createProcessExecutor(SCRIPT, { capacity: 1, memory: 2 ** 20 });
      const assignment = { kind: "sum", params: { of: [-4] }, inputs: {}, folder: "f" };
      const { signal } = new AbortController();
      const killed = small.run(assignment, { signal, onProgress() {} });
      await expect(killed).rejects.toThrow(/it took \d+ MiB of memory, and may take 1 MiB/);
      await small.close();
    },
  );
});

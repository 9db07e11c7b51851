import { EngineError, InputError } from "@isthmus/core";
import { createProcessExecutor } from "@isthmus/tasks";
import { describe, expect, it } from "vitest";
import { bundleScripts } from "../../../../test/helpers/bundle-scripts.mjs";
import { classifyFailure } from "./classify-failure.ts";

const [SCRIPT] = await bundleScripts([new URL("../../../tasks/test/sum-worker.ts", import.meta.url)]);

describe("classifyFailure()", () => {
  it("classifyFailure() knows bad input, faults of the world, and processes that died", async () => {
    const executor = createProcessExecutor(SCRIPT, { capacity: 1 });
    const failureOf = (of: number) =>
      executor
        .run(
          { kind: "sum", params: { of: [of] }, inputs: {}, folder: "f" },
          { signal: new AbortController().signal, onProgress() {} },
        )
        .catch((error: unknown) => error);
    const [bad, ended] = [await failureOf(-1), await failureOf(-3)];
    await executor.close();
    const full = new InputError("Cannot write", { input: "a", cause: { code: "ENOSPC" } });
    const lost = new EngineError("Cannot run a task as its process must go on", { engine: "worker process" });
    const seen = [bad, ended, full, lost].map((error) => {
      const { again, died } = classifyFailure(error);
      return [again, died];
    });
    expect(seen).toEqual([
      [false, false],
      [true, true],
      [true, false],
      [true, false],
    ]);
    expect(classifyFailure(ended).error.message).toMatch(/it ended with code 7/);
  });
});

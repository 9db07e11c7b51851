import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "@isthmus/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runMissing } from "./run-missing.ts";
import type { Task } from "./task.ts";
import type { TaskExecutor } from "./task-executor.ts";
import { openTaskStore } from "./task-store.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-missing-"));
});
afterEach(() => rm(folder, { recursive: true }));

const taskOf = (key: string, ...before: readonly string[]): Task => {
  const files = before.map((task) => ({ task, file: "x" }));
  return { key, kind: "any", label: key, params: { key }, inputs: { files } };
};
const TASKS = [taskOf("a"), taskOf("b"), taskOf("c", "a"), taskOf("d", "c", "b")];

/** Runs tasks to results that name them, but for one that fails; lists what was begun. */
function executorOf(failing?: string) {
  const begun: string[] = [];
  const executor: TaskExecutor = {
    capacity: 1,
    async run({ params }) {
      const { key } = params as { key: string };
      begun.push(key);
      if (key === failing) throw new EngineError("Cannot run as it fails: always", { engine: "fake" });
      return { key };
    },
  };
  return { begun, executor };
}

it("runMissing() goes on with what is missing, and gives what an uninterrupted run gives", async () => {
  const first = executorOf("c");
  const failed = await runMissing(TASKS, ["b", "d"], { folder, executor: first.executor });
  expect(first.begun).toEqual(["a", "b", "c"]);
  expect([failed.ran, failed.kept]).toEqual([2, 0]);
  expect(failed.failures.map(({ task }) => task.key)).toEqual(["c"]);
  expect(failed.blocked.map(({ key }) => key)).toEqual(["d"]);
  const second = executorOf();
  const { results, ...counts } = await runMissing(TASKS, ["b", "d"], { folder, executor: second.executor });
  expect(second.begun).toEqual(["c", "d"]);
  expect(counts).toEqual({ ran: 2, kept: 2, failures: [], blocked: [] });
  expect(["b", "d"].map((key) => results.get(key))).toEqual([{ key: "b" }, { key: "d" }]);
});

it("runMissing() lets go of the folder, whatever happens", async () => {
  const abort = new AbortController();
  abort.abort();
  const { executor } = executorOf();
  await expect(runMissing(TASKS, ["d"], { folder, executor, signal: abort.signal })).rejects.toThrow(
    expect.objectContaining({ name: "AbortError" }),
  );
  await (await openTaskStore(folder)).close();
});

import { EngineError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runTasks } from "./run-tasks.ts";
import { dependenciesOf, type Task } from "./task.ts";
import type { TaskExecutor } from "./task-executor.ts";
import type { TaskStore } from "./task-store.ts";

/** A store that keeps nothing. */
const NO_STORE: TaskStore = {
  folderOf: (key) => key,
  read: async () => undefined,
  begin: async () => {},
  finish: async () => {},
  close: async () => {},
};

/** Task number `index` that reads files of some before it. */
function taskOf(index: number, before: readonly number[]): Task {
  const key = String(index);
  const files = before.map((each) => ({ task: String(each), file: "x" }));
  return { key, kind: "any", label: key, params: { key }, inputs: { files } };
}

/** Tasks of which each reads files of up to three before it. */
const anyTasks = fc
  .array(fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), { minLength: 1, maxLength: 20 })
  .map((lists) =>
    lists.map((list, index) =>
      taskOf(index, index === 0 ? [] : [...new Set(list.map((each) => each % index))]),
    ),
  );

describe("runTasks()", () => {
  it("runTasks() begins each task once, after those it depends on, and never more at once than it may", async () => {
    const run = async (tasks: readonly Task[], capacity: number, turns: readonly number[]) => {
      const done = new Set<string>();
      const begun: string[] = [];
      let running = 0;
      const executor: TaskExecutor = {
        capacity,
        async run({ params, inputs }) {
          const { key } = params as { key: string };
          begun.push(key);
          running += 1;
          expect(running).toBeLessThanOrEqual(capacity);
          for (const path of inputs["files"] ?? []) expect(done).toContain(path.split("/")[0]);
          const wait = turns[Number(key) % turns.length] ?? 0;
          for (let turn = 0; turn < wait; turn++) await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          done.add(key);
          return { key };
        },
      };
      const { results, failures, blocked } = await runTasks(tasks, { store: NO_STORE, executor });
      expect([...begun].sort()).toEqual(tasks.map(({ key }) => key).sort());
      expect([results.size, failures, blocked]).toEqual([tasks.length, [], []]);
    };
    const turns = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 5 });
    await fc.assert(fc.asyncProperty(anyTasks, fc.integer({ min: 1, max: 4 }), turns, run), { numRuns: 50 });
  });

  it("runTasks() leaves out what depends on a failed task, and nothing else", async () => {
    const run = async (tasks: readonly Task[], at: number, capacity: number) => {
      const failing = String(at % tasks.length);
      const executor: TaskExecutor = {
        capacity,
        async run({ params }) {
          const { key } = params as { key: string };
          if (key === failing) throw new EngineError("Cannot run as it fails: always", { engine: "fake" });
          return {};
        },
      };
      const lost = new Set([failing]);
      for (const task of tasks) if (dependenciesOf(task).some((key) => lost.has(key))) lost.add(task.key);
      const { results, failures, blocked } = await runTasks(tasks, { store: NO_STORE, executor });
      expect(failures.map(({ task }) => task.key)).toEqual([failing]);
      expect(new Set([failing, ...blocked.map(({ key }) => key)])).toEqual(lost);
      expect(results.size).toBe(tasks.length - lost.size);
    };
    await fc.assert(fc.asyncProperty(anyTasks, fc.nat(), fc.integer({ min: 1, max: 3 }), run), {
      numRuns: 50,
    });
  });
});

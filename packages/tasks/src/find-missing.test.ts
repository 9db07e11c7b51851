import { expect, it } from "vitest";
import { findMissing } from "./find-missing.ts";
import type { Task } from "./task.ts";

const taskOf = (key: string, ...before: readonly string[]): Task => {
  const files = before.map((task) => ({ task, file: "x" }));
  return { key, kind: "any", label: key, params: {}, inputs: { files } };
};
const TASKS = [taskOf("a"), taskOf("b"), taskOf("c", "a"), taskOf("d", "c", "b"), taskOf("e", "a")];

it.each([
  [["d"], [], ["a", "b", "c", "d"], { used: [], before: 0 }],
  // What a finished task was made of is not looked at.
  [["d"], ["c"], ["b", "d"], { used: ["c"], before: 2 }],
  [["d"], ["d"], [], { used: ["d"], before: 4 }],
  [["e", "c"], ["a"], ["c", "e"], { used: ["a"], before: 1 }],
  [[], ["a"], [], { used: [], before: 0 }],
])("findMissing() of %j with %j done runs %j on %j", async (needed, done, run, { used, before }) => {
  const store = { read: async (key: string) => (done.includes(key as never) ? { key } : undefined) };
  const { missing, results, finished } = await findMissing(TASKS, needed, store);
  expect(missing.map(({ key }) => key)).toEqual(run);
  expect([...results.keys()]).toEqual(used);
  expect(finished).toBe(before);
});

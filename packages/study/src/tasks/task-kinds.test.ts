import { expect, it } from "vitest";
import { loadStudyTasks } from "./task-kinds.ts";

const STUDY_TASKS = await loadStudyTasks();

const move = (path: string): string => path.replace(/^\/there\//, "/here/");

it("every kind of task of a study that another machine may run says what its paths are", () => {
  for (const kind of STUDY_TASKS.values())
    expect([kind.name, typeof kind.movePaths]).toEqual([kind.name, "function"]);
  const params = { data: { name: "npz:/there/x.npz@10", digest: "0".repeat(32) }, seed: 0, number: 2 };
  expect(STUDY_TASKS.get("scatter")?.movePaths?.(params, move)).toEqual({
    ...params,
    data: { ...params.data, name: "npz:/here/x.npz@10" },
  });
});

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { loadStudyTasks } from "../task-kinds.ts";
import { marksDataName, marksPath, movePathsBy } from "./moved-paths.ts";

const STUDY_TASKS = await loadStudyTasks();

const move = (path: string): string => path.replace(/^\/there\//, "/here/");

const SCHEMA = z.strictObject({
  data: marksDataName(z.string()),
  path: marksPath(z.string()).optional(),
  name: z.string(),
  list: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("file"), of: marksPath(z.string()) }),
      z.strictObject({ kind: z.literal("name"), of: z.string() }),
    ]),
  ),
  none: marksPath(z.string()).nullable(),
});

describe("movePathsBy()", () => {
  it("moves what the schema says are paths, and leaves what only looks like one", () => {
    const value: z.output<typeof SCHEMA> = {
      data: "idx:/there/images,/there/labels:test@5",
      path: "/there/C:\\x:y",
      name: "/there/is a name:/there/too",
      list: [
        { kind: "file", of: "/there/a" },
        { kind: "name", of: "/there/a" },
      ],
      none: null,
    };
    expect(movePathsBy(SCHEMA, value, move)).toEqual({
      data: "idx:/here/images,/here/labels:test@5",
      path: "/here/C:\\x:y",
      name: value.name,
      list: [
        { kind: "file", of: "/here/a" },
        { kind: "name", of: "/there/a" },
      ],
      none: null,
    });
  });

  it("every kind of task of a study that another machine may run says what its paths are", () => {
    for (const kind of STUDY_TASKS.values())
      expect([kind.name, typeof kind.movePaths]).toEqual([kind.name, "function"]);
    const params = { data: { name: "npz:/there/x.npz@10", digest: "0".repeat(32) }, seed: 0, number: 2 };
    expect(STUDY_TASKS.get("scatter")?.movePaths?.(params, move)).toEqual({
      ...params,
      data: { ...params.data, name: "npz:/here/x.npz@10" },
    });
  });
});

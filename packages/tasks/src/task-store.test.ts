import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { createTask } from "./task.ts";
import { openTaskStore, readTaskResult } from "./task-store.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const task = createTask({ name: "sum", version: 1 }, "none", {
  params: { of: [1, 2] },
  inputs: {},
  label: "sum of 1 and 2",
});

describe("openTaskStore()", () => {
  it("openTaskStore() writes the files that version 0.0.0 wrote, byte for byte", async () => {
    const store = await openTaskStore(folder);
    await store.begin(task.key);
    expect(await store.read(task.key)).toBeUndefined();
    await store.finish(task, { sum: 3 }, 1.5);
    expect(await store.read(task.key)).toEqual({ sum: 3 });
    await store.close();
    expect(readdirSync(folder)).toEqual([task.key]);
    expect(readdirSync(store.folderOf(task.key)).sort()).toEqual(["result.json", "time.json"]);
    expect(readFileSync(join(folder, task.key, "time.json"), "utf8")).toBe('{"seconds":1.5}\n');
    expect(readFileSync(join(folder, task.key, "result.json"), "utf8")).toBe(
      `{
  "kind": "sum",
  "label": "sum of 1 and 2",
  "params": {
    "of": [
      1,
      2
    ]
  },
  "result": {
    "sum": 3
  }
}
`,
    );
  });

  it("openTaskStore() keeps the folder for one store, and clears what was cut off", async () => {
    const store = await openTaskStore(folder);
    await expect(openTaskStore(folder)).rejects.toThrow(/at work there/);
    await store.begin(task.key);
    for (const name of [".result.json.1-0.tmp", "state.bin"])
      writeFileSync(join(store.folderOf(task.key), name), "x");
    await store.begin(task.key);
    expect(readdirSync(store.folderOf(task.key))).toEqual(["state.bin"]);
    await store.close();
    await (await openTaskStore(folder)).close();
  });

  it("readTaskResult() refuses a file that holds no result", async () => {
    const store = await openTaskStore(folder);
    await store.begin(task.key);
    await store.close();
    for (const text of ["null", "{}", '{"result":3}']) {
      writeFileSync(join(folder, task.key, "result.json"), text);
      await expect(readTaskResult(folder, task.key)).rejects.toThrow(/must hold the result of a task/);
    }
  });
});

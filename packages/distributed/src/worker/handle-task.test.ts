import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { InputError, openPositionalFile, readTextFile, saveFile } from "@isthmus/core";
import { createTask, createTaskKinds, runTask, type TaskKind } from "@isthmus/tasks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type QueuedTask, queueTask } from "../queue/queued-task.ts";
import type { TaskOutcome } from "../queue/task-queue.ts";
import { openFolderStorage } from "../storage/folder-storage.ts";
import type { TaskStorage } from "../storage/task-storage.ts";
import { createTaskHandler } from "./handle-task.ts";

/** What tasks of the kind below do with a path, without checking anything themselves. */
interface Params {
  readonly does: "read" | "save" | "overwrite";
  readonly path: string;
  readonly name?: string;
}

/** A kind as somebody may write it who thinks of no stranger. */
const careless: TaskKind<Params> = {
  ...{ name: "careless", version: 1, assertParams() {} },
  movePaths: (params, move) => ({ ...params, path: move(params.path) }),
  async run({ folder }, { does, path, name }) {
    const place = path.replace("FOLDER", folder);
    if (does === "save") await saveFile(place, "changed");
    if (does === "overwrite") {
      const file = await openPositionalFile(place);
      await file.write(new TextEncoder().encode("changed"), 0).finally(() => file.close());
    }
    return { read: does === "read" ? await readTextFile(place) : "", name };
  },
};

/** The same, but its paths are not told: it forgets that they may lie elsewhere. */
const forgetful: TaskKind<Params> = { ...careless, name: "forgetful" };
delete (forgetful as { movePaths?: unknown }).movePaths;

/** One that writes beside its results, as a merge does. */
const beside: TaskKind<Params> = {
  ...careless,
  name: "beside",
  writesInto: ({ store = "" }) => [dirname(store)],
};

const kinds = createTaskKinds([careless, forgetful, beside] as unknown as TaskKind[]);

let base: string;
let root: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "isthmus-handle-")));
  root = join(base, "storage");
  for (const folder of ["storage/data", "outside"]) mkdirSync(join(base, folder), { recursive: true });
  writeFileSync(join(root, "data/in.txt"), "inside it");
  writeFileSync(join(base, "outside/secret.txt"), "the secret");
});
afterEach(() => rmSync(base, { recursive: true }));

async function handle(
  kind: TaskKind<Params>,
  params: Params,
  change: Partial<QueuedTask> = {},
  ofStorage: Partial<TaskStorage> = {},
): Promise<TaskOutcome> {
  const storage = { ...(await openFolderStorage(root)), ...ofStorage };
  const run = createTaskHandler({
    ...{ storage, kinds: kinds as never, engine: "none", name: "one", signal: new AbortController().signal },
    executor: { capacity: 1, run: (assignment, control) => runTask(kinds, assignment, {}, control) },
  });
  const task = createTask(kind, "none", { params, inputs: {}, label: "a task" });
  const queued = queueTask(task, { engine: "none", store: "runs/tasks", directory: "", root });
  return run({ ...queued, ...change }, { signal: new AbortController().signal, onProgress() {} });
}

const LIES_ELSEWHERE = /must lie (with)?in/;

async function expectRefused(...args: Parameters<typeof handle>): Promise<void> {
  const outcome = await handle(...args);
  expect(outcome).toMatchObject({ kind: "failed", again: false });
  expect(outcome.kind === "failed" && outcome.error.message).toMatch(LIES_ELSEWHERE);
  expect(readFileSync(join(base, "outside/secret.txt"), "utf8")).toBe("the secret");
  expect(readFileSync(join(root, "data/in.txt"), "utf8")).toBe("inside it");
}

describe("a task from a queue, of whatever kind,", () => {
  it("reads files of the storage, from another machine's storage too, and writes into its own folder", async () => {
    for (const kind of [careless, forgetful]) {
      expect(await handle(kind, { does: "read", path: join(root, "data/in.txt") })).toMatchObject({
        kind: "done",
      });
      expect(await handle(kind, { does: "save", path: "FOLDER/new.txt" })).toMatchObject({ kind: "done" });
    }
    const there = { root: "/their/storage" };
    const params: Params = {
      does: "read",
      path: "/their/storage/data/in.txt",
      name: "/not/a/path:/their/storage/x",
    };
    expect(await handle(careless, params, there)).toMatchObject({ kind: "done" });
    const task = createTask(careless, "none", { params, inputs: {}, label: "" });
    const { result } = JSON.parse(readFileSync(join(root, "runs/tasks", task.key, "result.json"), "utf8"));
    expect(result).toEqual({ read: "inside it", name: params.name });
  });

  it("reads nothing outside it: by a path, or by links", async () => {
    symlinkSync(join(base, "outside/secret.txt"), join(root, "link.txt"));
    symlinkSync(join(base, "outside"), join(root, "folder"));
    const paths = [join(base, "outside/secret.txt"), `${root}/../outside/secret.txt`, "/etc/passwd"];
    for (const path of [...paths, join(root, "link.txt"), join(root, "folder/secret.txt")])
      for (const kind of [careless, forgetful]) await expectRefused(kind, { does: "read", path });
  });

  it("writes nothing outside its own folder: neither outside the storage nor in it", async () => {
    for (const does of ["save", "overwrite"] as const)
      for (const path of [
        join(base, "outside/secret.txt"),
        join(root, "data/in.txt"),
        "FOLDER/../../../../data/in.txt",
      ])
        for (const kind of [careless, forgetful]) await expectRefused(kind, { does, path });
  });

  it("may write beside its results if its kind says so, but never through links, nor beside the storage", async () => {
    mkdirSync(join(root, "runs"), { recursive: true });
    writeFileSync(join(root, "runs/part.bin"), "0123456789");
    const path = (name: string) => join(root, "runs", name);
    expect(await handle(beside, { does: "overwrite", path: path("part.bin") })).toMatchObject({
      kind: "done",
    });
    symlinkSync(join(base, "outside/secret.txt"), path("soft.bin"));
    linkSync(join(base, "outside/secret.txt"), path("hard.bin"));
    await expectRefused(beside, { does: "overwrite", path: path("soft.bin") });
    const hard = await handle(beside, { does: "overwrite", path: path("hard.bin") });
    expect(hard).toMatchObject({
      kind: "failed",
      error: { message: expect.stringMatching(/must have no other name/) },
    });
    await expectRefused(beside, { does: "save", path: "FOLDER/x" }, { store: "" });
    for (const store of ["../outside", "/etc", "runs/../../outside"])
      await expectRefused(careless, { does: "save", path: "FOLDER/x" }, { store });
    symlinkSync(join(base, "outside"), join(root, "away"));
    for (const change of [{ store: "away/tasks" }, { directory: "away" }])
      await expectRefused(careless, { does: "read", path: "data/in.txt" }, change);
  });
});

describe("a task whose worker has a full disk", () => {
  it("is given back if the disk is the worker's own, and counts as tried if all workers share it", async () => {
    const full = (): Promise<never> => {
      const cause = { code: "ENOSPC" };
      return Promise.reject(new InputError("the disk must have room", { input: "x", cause }));
    };
    const outcomeOf = (isShared: boolean) =>
      handle(careless, { does: "read", path: "data/in.txt" }, {}, { isShared, begin: full });
    expect(await outcomeOf(false)).toEqual({ kind: "released", reason: "the disk must have room" });
    expect(await outcomeOf(true)).toMatchObject({ kind: "failed", again: true });
  });
});

import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openTaskStore, readTaskResult } from "@isthmus/tasks";
import { afterEach, describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import type { PublishedResult, TaskStorage } from "../src/storage/task-storage.ts";

/** How a storage is opened in a test: `folder` is one for the test alone, and each opening is another machine. */
export interface StorageUnderTest {
  readonly name: string;
  open(folder: string): Promise<TaskStorage>;
  /** Bytes of a file that takes several parts. */
  readonly large: number;
}

/** Store and key of the task of these tests. */
export const PLACE = { store: "runs/a study", key: "0123456789abcdef01234567" } as const;
/** The engine and folders of whoever waits do not matter to a storage. */
export const taskOf = (store: string) => ({
  id: "x",
  task: { key: PLACE.key, kind: "k", label: "l", params: {}, inputs: {} },
  engine: "none",
  store,
  directory: "",
  root: "/",
});

/** A result that can be published, by a worker. */
export function resultOf(worker: string): PublishedResult {
  const task = { ...PLACE, kind: "sum", label: "sum of 1 and 2", params: { of: [1, 2] } };
  return { ...task, result: { sum: 3, worker }, seconds: 1.5, worker };
}

/** Writes files by their names. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** Reads all files below a folder, by their names. */
export function readFiles(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const paths = names.map((file) => join(file.parentPath, file.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(folder.length + 1), readFileSync(path).toString("latin1")]),
  );
}

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What the tests of one storage share: one of its openings, and how to make more. */
interface Bench extends StorageUnderTest {
  /** A folder for the test alone. */
  folder(): string;
  storage(): TaskStorage;
  openAnother(): Promise<TaskStorage>;
}

/** Runs the tests that every storage must pass. */
export function describeStorage(subject: StorageUnderTest): void {
  let folder: string;
  let storage: TaskStorage;
  const others: TaskStorage[] = [];
  const openAnother = async (): Promise<TaskStorage> => {
    const another = await subject.open(folder);
    others.push(another);
    return another;
  };
  inFreshFolders(async (path) => {
    folder = path;
    storage = await openAnother();
  });
  afterEach(async () => {
    for (const other of others.splice(0)) await other.close();
  });
  const bench: Bench = { ...subject, folder: () => folder, storage: () => storage, openAnother };
  describe(`${subject.name} publishes`, () => {
    describePublishing(bench);
    describeRaces(bench);
  });
  describe(`${subject.name} removes`, () => describeRemoving(bench));
  describe(`${subject.name} goes on`, () => describeResuming(bench));
  describe(`${subject.name} refuses`, () => {
    describeEscapes(bench);
    describeRefusals(bench);
  });
}

async function publish(from: TaskStorage, attempt: string, files: Readonly<Record<string, string>>) {
  const folder = await from.begin(PLACE, attempt);
  writeFiles(folder, files);
  return from.publish(folder, resultOf(attempt));
}

function describePublishing({ storage, folder, openAnother, large }: Bench): void {
  it("what threads would have written, which another machine reads", async () => {
    expect(await storage().read(PLACE)).toBeUndefined();
    expect(await publish(storage(), "w1", { "a.bin": "abc", "below/b.bin": "b", "cut.bin.tmp": "x" })).toBe(
      true,
    );
    const another = await openAnother();
    expect(await another.read(PLACE)).toEqual({ sum: 3, worker: "w1" });
    await another.collect(PLACE, join(folder(), "local", PLACE.key));

    const store = await openTaskStore(join(folder(), "threads"));
    await store.begin(PLACE.key);
    writeFiles(store.folderOf(PLACE.key), { "a.bin": "abc", "below/b.bin": "b" });
    await store.finish({ ...resultOf("w1"), inputs: {} }, resultOf("w1").result, 1.5);
    await store.close();
    const expected = {
      ...readFiles(store.folderOf(PLACE.key)),
      "time.json": '{"seconds":1.5,"worker":"w1"}\n',
    };
    expect(readFiles(join(folder(), "local", PLACE.key))).toEqual(expected);
    expect(await readTaskResult(join(folder(), "local"), PLACE.key)).toEqual({ sum: 3, worker: "w1" });
  });

  it("nothing before the end of an attempt, and nothing of one that is left", async () => {
    const attempt = await storage().begin(PLACE, "w1");
    writeFiles(attempt, { "a.bin": "abc" });
    const another = await openAnother();
    expect(await another.read(PLACE)).toBeUndefined();
    await expect(another.openFile({ task: PLACE.key, file: "a.bin" }, taskOf(PLACE.store))).rejects.toThrow(
      /a\.bin.*must be published/,
    );
    await expect(another.collect(PLACE, join(folder(), "local"))).rejects.toThrow(/must be published/);
    await storage().leave(attempt, { keep: false });
    expect(existsSync(attempt)).toBe(false);
    expect(readdirSync(await storage().begin(PLACE, "w2"))).toEqual([]);
  });

  it("a large file byte for byte", async () => {
    const bytes = randomBytes(large);
    const attempt = await storage().begin(PLACE, "w1");
    writeFiles(attempt, { "large.bin": bytes, "empty.bin": "" });
    expect(await storage().publish(attempt, resultOf("w1"))).toBe(true);
    const path = await (await openAnother()).openFile(
      { task: PLACE.key, file: "large.bin" },
      taskOf(PLACE.store),
    );
    expect(digestOf(readFileSync(path))).toBe(digestOf(bytes));
  });
}

function describeRemoving({ storage, folder, openAnother }: Bench): void {
  it("one task, or all of a store, and no other", async () => {
    const other = { ...PLACE, key: "other" };
    const beside = { ...PLACE, store: `${PLACE.store} and another` };
    for (const place of [PLACE, other, beside]) {
      const attempt = await storage().begin(place, "w1");
      writeFiles(attempt, { "a.bin": "abc", "below/b.bin": "b" });
      await storage().publish(attempt, { ...resultOf("w1"), ...place });
    }
    const another = await openAnother();
    const thereOf = async () =>
      Promise.all([PLACE, other, beside].map(async (place) => (await another.read(place)) !== undefined));
    expect(await thereOf()).toEqual([true, true, true]);
    await storage().remove(PLACE);
    await storage().remove(PLACE);
    expect(await thereOf()).toEqual([false, true, true]);
    await expect(another.collect(PLACE, join(folder(), "local"))).rejects.toThrow(/must be published/);
    expect(await publish(storage(), "w2", { "a.bin": "a" })).toBe(true);
    const left = await storage().begin(other, "w3");
    writeFiles(left, { "a.bin": "abcdef" });
    await storage().leave(left, { keep: true });
    await storage().clear(PLACE.store);
    expect(await thereOf()).toEqual([false, false, true]);
    expect(readFiles(await storage().begin(other, "w4"))).toEqual({});
    await expect(storage().clear("")).rejects.toThrow(/must be a folder within the storage/);
    await expect(storage().clear("..")).rejects.toThrow(/must lie within/);
  });
}

function describeRaces({ storage, folder, openAnother }: Bench): void {
  it("one attempt of many that race, whole, and no other later", async () => {
    const racers = await Promise.all(
      ["w1", "w2", "w3", "w4", "w5"].map(async (worker) => {
        const at = await openAnother();
        const attempt = await at.begin(PLACE, worker);
        writeFiles(attempt, { "by.txt": worker });
        return { at, attempt, worker };
      }),
    );
    const won = await Promise.all(
      racers.map(({ at, attempt, worker }) => at.publish(attempt, resultOf(worker))),
    );
    const winners = racers.filter((_, index) => won[index] === true).map(({ worker }) => worker);
    expect(winners).toHaveLength(1);
    expect(await publish(storage(), "late", { "by.txt": "late" })).toBe(false);
    expect(await storage().read(PLACE)).toEqual({ sum: 3, worker: winners[0] });
    const path = await storage().openFile({ task: PLACE.key, file: "by.txt" }, taskOf(PLACE.store));
    expect(readFileSync(path, "utf8")).toBe(winners[0]);
    await storage().collect(PLACE, join(folder(), "local", PLACE.key));
    expect(Object.keys(readFiles(join(folder(), "local", PLACE.key)))).toEqual([
      "by.txt",
      "result.json",
      "time.json",
    ]);
    expect(racers.filter(({ attempt }) => existsSync(attempt))).toEqual([]);
  });
}

function describeResuming({ storage }: Bench): void {
  it("from the files of an attempt that was interrupted, but not those that were cut off", async () => {
    const first = await storage().begin(PLACE, "w1");
    writeFiles(first, { "a.bin": "abc", "below/b.bin": "b", "c.bin.tmp": "half", "result.json": "{}" });
    await storage().leave(first, { keep: true });
    const second = await storage().begin(PLACE, "w2");
    expect(readFiles(second)).toEqual({ "a.bin": "abc", "below/b.bin": "b" });
    // Its worker may run on.
    expect(existsSync(join(first, "a.bin"))).toBe(true);
    writeFiles(second, { "a.bin": "abcdef" });
    const third = await storage().begin(PLACE, "w3");
    expect(readFiles(third)).toEqual({ "a.bin": "abcdef", "below/b.bin": "b" });
    expect(readFiles(await storage().begin({ ...PLACE, key: "another" }, "w1"))).toEqual({});
    await storage().sweep(PLACE.store);
    expect(readFiles(await storage().begin(PLACE, "w4"))).toEqual({});
    await expect(storage().publish(third, resultOf("w3"))).rejects.toThrow(/must exist/);
  });
}

function describeEscapes({ storage, folder }: Bench): void {
  const escapes = ["../x", "/etc", "a/../../x", "a//b", ".", "..", "a/.", "a\\b", "a/.attempts", "a\0b"];

  it.each(escapes)("to leave its folder by %j", async (path) => {
    const inStorage = /must (lie within the storage|be a single name)/;
    await expect(storage().begin({ ...PLACE, store: path }, "w")).rejects.toThrow(inStorage);
    await expect(storage().begin({ ...PLACE, key: path }, "w")).rejects.toThrow(inStorage);
    await expect(storage().begin(PLACE, path)).rejects.toThrow(inStorage);
    await expect(storage().read({ ...PLACE, store: path })).rejects.toThrow(inStorage);
    await expect(storage().read({ ...PLACE, key: path })).rejects.toThrow(inStorage);
    await expect(storage().sweep(path)).rejects.toThrow(inStorage);
    await expect(storage().collect({ ...PLACE, store: path }, folder())).rejects.toThrow(inStorage);
    const task = taskOf(PLACE.store);
    await expect(storage().openFile({ task: PLACE.key, file: path }, task)).rejects.toThrow(inStorage);
    await expect(storage().openFile({ task: path, file: "a" }, task)).rejects.toThrow(inStorage);
    await expect(storage().openFile({ path, digest: "0" }, task)).rejects.toThrow(inStorage);
    await expect(storage().openFile({ task: PLACE.key, file: "a" }, taskOf(path))).rejects.toThrow(inStorage);
  });
}

function describeRefusals({ storage, folder, openAnother }: Bench): void {
  it("to publish from a folder that is no attempt, or an attempt at another task", async () => {
    const attempt = await storage().begin({ ...PLACE, key: "another" }, "w1");
    for (const elsewhere of [folder(), attempt, join(attempt, "..", "..")]) {
      await expect(storage().publish(elsewhere, resultOf("w1"))).rejects.toThrow(
        /must be the folder of an attempt/,
      );
    }
    await expect(storage().leave(folder(), { keep: false })).rejects.toThrow(
      /must be the folder of an attempt/,
    );
    await expect(storage().begin({ ...PLACE, key: "another" }, "w1")).rejects.toThrow(/name of its own/);
  });

  it("a file of the user that is missing, or has other bytes than when it was shared", async () => {
    const digest = digestOf(Buffer.from("abc"));
    const path = join(storage().root, "inputs", "model.onnx");
    writeFiles(storage().root, { "inputs/model.onnx": "abc" });
    const shared = await storage().share({ path, digest });
    const task = taskOf(PLACE.store);
    const another = await openAnother();
    const opened = await another.openFile({ path: shared, digest }, task);
    expect(readFileSync(opened, "utf8")).toBe("abc");
    expect(opened.endsWith("model.onnx")).toBe(true);
    await expect(
      another.openFile({ path: shared, digest: digestOf(Buffer.from("abd")) }, task),
    ).rejects.toThrow(/must be|not there/);
    await expect(another.openFile({ path: "inputs/none.onnx", digest }, task)).rejects.toThrow(/none\.onnx/);
    await expect(storage().share({ path: join(folder(), "none"), digest })).rejects.toThrow(/Cannot share/);
  });
}

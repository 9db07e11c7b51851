import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { openFolderStorage } from "../src/storage/folder-storage.ts";
import type { TaskStorage } from "../src/storage/task-storage.ts";
import { describeStorage, PLACE, readFiles, resultOf, taskOf, writeFiles } from "./storage-conformance.ts";

describeStorage({
  name: "a folder",
  open: (folder) => openFolderStorage(join(folder, "shared"), { patience: 0 }),
  large: 3_000_000,
});

describe("a folder as a storage", () => {
  let outside: string;
  let storage: TaskStorage;
  inFreshFolders(async (path) => {
    outside = path;
    storage = await openFolderStorage(join(outside, "shared"), { patience: 0 });
  });
  const target = () => join(storage.root, PLACE.store, PLACE.key);

  it("follows links only within its folder", async () => {
    writeFiles(outside, { "secret/a.txt": "s", "shared/inputs/a.txt": "abc" });
    symlinkSync(join(outside, "secret"), join(storage.root, "out"));
    symlinkSync(join(outside, "none"), join(storage.root, "nowhere"));
    symlinkSync(join(storage.root, "inputs"), join(storage.root, "in"));
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const task = taskOf(PLACE.store);
    expect(await storage.openFile({ path: "in/a.txt", digest }, task)).toMatch(/a\.txt$/);
    for (const way of ["out", "nowhere"]) {
      const refused = /must lie within the storage|leads nowhere/;
      await expect(storage.openFile({ path: `${way}/a.txt`, digest }, task)).rejects.toThrow(refused);
      await expect(storage.begin({ ...PLACE, store: way }, "w")).rejects.toThrow(refused);
      await expect(storage.read({ ...PLACE, store: way })).rejects.toThrow(refused);
      await expect(storage.sweep(way)).rejects.toThrow(refused);
      await expect(storage.share({ path: join(storage.root, way, "a.txt"), digest })).rejects.toThrow(
        /must lie in the folder|no such file/,
      );
    }
    expect(await storage.share({ path: join(storage.root, "in", "a.txt"), digest })).toBe("inputs/a.txt");
  });

  it("publishes no links", async () => {
    const attempt = await storage.begin(PLACE, "w1");
    symlinkSync("/etc/hostname", join(attempt, "host.txt"));
    await expect(storage.publish(attempt, resultOf("w1"))).rejects.toThrow(/must be a regular file/);
    expect(await storage.read(PLACE)).toBeUndefined();
  });

  it("waits for files that appear late", async () => {
    const patient = await openFolderStorage(storage.root, { patience: 20_000 });
    const opened = patient.openFile({ task: PLACE.key, file: "a.txt" }, taskOf(PLACE.store));
    const attempt = await storage.begin(PLACE, "w1");
    writeFiles(attempt, { "a.txt": "abc" });
    await storage.publish(attempt, resultOf("w1"));
    expect(readFileSync(await opened, "utf8")).toBe("abc");
  });

  it("computes the digest of a file again only once it has changed", async () => {
    const path = join(storage.root, "a.txt");
    writeFileSync(path, "abc");
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const open = () => storage.openFile({ path: "a.txt", digest }, taskOf(PLACE.store));
    await open();
    await open();
    writeFileSync(path, "abcd");
    await expect(open()).rejects.toThrow(/digest must be ba7816bf.*restore the file/);
  });

  it.each([{}, { "state.bin": "half" }])("takes the place of a run by threads that left %j", async (left) => {
    mkdirSync(target(), { recursive: true });
    writeFiles(target(), left);
    const workers = ["w1", "w2", "w3", "w4"];
    const attempts = await Promise.all(workers.map((worker) => storage.begin(PLACE, worker)));
    for (const attempt of attempts) expect(readFiles(attempt)).toEqual(left);
    const won = await Promise.all(
      attempts.map((attempt, i) => storage.publish(attempt, resultOf(workers[i]!))),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await storage.read(PLACE)).toEqual({ sum: 3, worker: workers[won.indexOf(true)] });
    expect(Object.keys(readFiles(target()))).toEqual(["result.json", ...Object.keys(left), "time.json"]);
    await storage.sweep(PLACE.store);
    expect(readdirSync(join(storage.root, PLACE.store))).toEqual([PLACE.key]);
  });

  it("collects nothing into the folder itself", async () => {
    const attempt = await storage.begin(PLACE, "w1");
    await storage.publish(attempt, resultOf("w1"));
    const before = readFiles(target());
    await storage.collect(PLACE, target());
    expect(readFiles(target())).toEqual(before);
  });
});

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { InputError } from "../errors.ts";
import { createFolder, removeFolders } from "./create-folder.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("createFolder()", () => {
  it("creates a folder with those above it, and says which were missing", async () => {
    const path = join(folder, "a", "b", "c");
    expect(await createFolder(path)).toEqual([join(folder, "a"), join(folder, "a", "b"), path]);
    expect(existsSync(path)).toBe(true);
    expect(await createFolder(path)).toEqual([]);
    const all = await Promise.all([1, 2, 3].map(() => createFolder(join(folder, "d", "e"))));
    expect(all.flat().sort()).toEqual([join(folder, "d"), join(folder, "d", "e")]);
  });

  it("refuses to create one in a file", async () => {
    writeFileSync(join(folder, "file"), "");
    for (const path of [join(folder, "file"), join(folder, "file", "a")]) {
      await expect(createFolder(path)).rejects.toThrow(InputError);
      await expect(createFolder(path)).rejects.toThrow(
        /^Cannot create folder ".*" as ".*file" must be a folder: it is a file$/,
      );
    }
  });

  it.runIf(process.platform === "linux")("ends where a file system takes no folders", async () => {
    await expect(createFolder("/proc/isthmus/results")).rejects.toThrow(
      'Cannot create folder "/proc/isthmus/results" as its file system must take folders',
    );
  });
});

describe("removeFolders()", () => {
  it("removes what was created, unless something is in it by now", async () => {
    const created = await createFolder(join(folder, "a", "b"));
    writeFileSync(join(folder, "a", "x"), "");
    await removeFolders(created);
    expect(readdirSync(join(folder, "a"))).toEqual(["x"]);
  });
});

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFolder } from "./create-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-create-folder-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("createFolder()", () => {
  it("creates a folder with those above it, and says whether it was missing", async () => {
    const path = join(folder, "a", "b", "c");
    expect(await createFolder(path)).toBe(true);
    expect(existsSync(path)).toBe(true);
    expect(await createFolder(path)).toBe(false);
    const all = await Promise.all([1, 2, 3].map(() => createFolder(join(folder, "d", "e"))));
    expect(all).toContain(true);
  });

  it("refuses to create one in a file", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(createFolder(join(folder, "file"))).rejects.toThrow(/EEXIST/);
    await expect(createFolder(join(folder, "file", "a"))).rejects.toThrow(/EEXIST|ENOTDIR/);
  });

  it.runIf(process.platform === "linux")("ends where a file system takes no folders", async () => {
    await expect(createFolder("/proc/isthmus/results")).rejects.toThrow(/ENOENT/);
  });
});

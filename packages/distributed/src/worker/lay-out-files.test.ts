import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { layOutFiles } from "./lay-out-files.ts";

let root: string;
inFreshFolders((path) => {
  root = path;
  for (const name of ["one", "two"]) writeFileSync(join(root, name), name);
});

const file = (name: string, of: string) => ({ name, path: join(root, of) });

describe("layOutFiles()", () => {
  it("gives files their names in one folder, the same for the same files at any time", async () => {
    const files = [file("nets/a/config.json", "one"), file("b.bin", "two")];
    const folders = await Promise.all(
      [files, [...files].reverse(), files].map((each) => layOutFiles(root, each)),
    );
    expect(new Set(folders).size).toBe(1);
    const [folder] = folders as [string];
    expect(readFileSync(join(folder, "nets/a/config.json"), "utf8")).toBe("one");
    expect(readFileSync(join(folder, "b.bin"), "utf8")).toBe("two");
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual([
      "b.bin",
      "nets",
      "nets/a",
      "nets/a/config.json",
    ]);
    const { ino } = lstatSync(join(folder, "b.bin"));
    expect(await layOutFiles(root, files)).toBe(folder);
    expect(lstatSync(join(folder, "b.bin")).ino).toBe(ino);
    expect(await layOutFiles(root, [file("b.bin", "one"), file("nets/a/config.json", "two")])).not.toBe(
      folder,
    );
  });

  it("refuses names that lead out of the folder, also by a link", async () => {
    for (const name of ["../a", "/a", "a/../../b", "a//b", ""]) {
      await expect(layOutFiles(root, [file(name, "one")])).rejects.toThrow(/Cannot/);
    }
    const folder = await layOutFiles(root, [file("a/b", "one")]);
    rmSync(join(folder, "a"), { recursive: true });
    mkdirSync(`${root}-outside`);
    symlinkSync(`${root}-outside`, join(folder, "a"));
    try {
      await expect(layOutFiles(root, [file("a/b", "one")])).rejects.toThrow(/must lie within the storage/);
      expect(readdirSync(`${root}-outside`)).toEqual([]);
    } finally {
      rmSync(`${root}-outside`, { recursive: true });
    }
  });
});

import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { saveFile } from "./save-file.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("saveFile()", () => {
  it("saveFile() writes text and bytes and replaces what was there", async () => {
    const path = join(folder, "x.json");
    await saveFile(path, "ä");
    await saveFile(path, new Uint8Array([1, 2]));
    expect([...(await readFile(path))]).toEqual([1, 2]);
    expect(await readdir(folder)).toEqual(["x.json"]);
  });

  it("saveFile() leaves inputs alone, under whatever link", async () => {
    const input = join(folder, "input");
    const link = join(folder, "link");
    await writeFile(input, "precious");
    await symlink(input, link);
    await expect(saveFile(link, "x", [input])).rejects.toThrow("must not be a file that is read from");
    expect(await readFile(input, "utf8")).toBe("precious");
    expect((await readdir(folder)).sort()).toEqual(["input", "link"]);
  });

  it("saveFile() says why a path cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(saveFile(join(folder, "file", "x"), "x")).rejects.toThrow(
      /Cannot create folder ".*file" as ".*file" must be a folder: it is a file/,
    );
    await expect(saveFile(folder, "x")).rejects.toThrow("Cannot write");
  });

  it("saveFile() creates the folders it needs", async () => {
    const path = join(folder, "a", "b", "x");
    await saveFile(path, "x");
    expect(await readFile(path, "utf8")).toBe("x");
  });
});

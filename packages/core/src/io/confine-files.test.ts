import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { assertOpenedWithin, confineFiles, unconfineFiles } from "./confine-files.ts";
import { createFolder } from "./create-folder.ts";
import { readFileRangeSync } from "./file-source.ts";
import { openPositionalFile } from "./positional-file.ts";
import { readFileBytes } from "./read-file.ts";
import { saveFile } from "./save-file.ts";

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "isthmus-confine-")));
  for (const folder of ["storage/run", "outside"]) mkdirSync(join(base, folder), { recursive: true });
  for (const file of ["storage/in.txt", "storage/run/own.txt", "outside/secret.txt"])
    writeFileSync(join(base, file), file.startsWith("storage") ? "inside" : "secret");
});
afterEach(() => rmSync(base, { recursive: true }));

const path = (name: string): string => join(base, name);

/** Calls a function as a task does that may read the storage, and write into its own folder. */
const confined = <T>(act: () => T): T =>
  confineFiles({ read: [path("storage")], write: [path("storage/run")] }, act);

const overwrite = async (name: string): Promise<void> => {
  const file = await openPositionalFile(path(name));
  try {
    await file.write(new TextEncoder().encode("XX"), 0);
  } finally {
    await file.close();
  }
};

describe("confineFiles()", () => {
  it("lets files below its folders be read and written, and what it calls later, too", async () => {
    await confined(async () => {
      expect(Buffer.from(await readFileBytes(path("storage/in.txt"), 100)).toString()).toBe("inside");
      await saveFile(path("storage/run/new/result.json"), "{}");
      await overwrite("storage/run/own.txt");
    });
    expect(readFileSync(path("storage/run/own.txt"), "utf8")).toBe("XXside");
    await saveFile(path("outside/later.txt"), "free");
    expect(existsSync(path("outside/later.txt"))).toBe(true);
  });

  it("refuses to read outside: by a path, a link to a file, a link to a folder, and a link in a link", async () => {
    symlinkSync(path("outside/secret.txt"), path("storage/link.txt"));
    symlinkSync(path("outside"), path("storage/folder"));
    symlinkSync(path("storage/link.txt"), path("storage/again.txt"));
    const names = ["outside/secret.txt", "storage/../outside/secret.txt", "storage/link.txt"];
    for (const name of [...names, "storage/folder/secret.txt", "storage/again.txt"]) {
      await expect(confined(() => readFileBytes(path(name), 100))).rejects.toThrow(InputError);
      await expect(confined(() => readFileBytes(path(name), 100))).rejects.toThrow(/must lie in/);
      expect(() => confined(() => readFileRangeSync(path(name), 0, 1))).toThrow(/must lie in/);
    }
    await expect(
      confined(() => unconfineFiles(() => readFileBytes(path("storage/link.txt"), 9))),
    ).resolves.toHaveLength(6);
  });

  it("refuses to write outside the folder of the task, also elsewhere in the storage", async () => {
    symlinkSync(path("outside"), path("storage/run/folder"));
    for (const name of ["storage/in.txt", "outside/new.txt", "storage/run/folder/new.txt"])
      await expect(confined(() => saveFile(path(name), "X"))).rejects.toThrow(/must lie in/);
    for (const name of ["storage/other", "storage/run/folder/other"])
      await expect(confined(() => createFolder(path(name)))).rejects.toThrow(/must lie in/);
    expect(readFileSync(path("storage/in.txt"), "utf8")).toBe("inside");
    expect(existsSync(path("outside/new.txt")) || existsSync(path("outside/other"))).toBe(false);
  });

  it("refuses to write into files that exist outside, by any link, soft or hard", async () => {
    symlinkSync(path("outside/secret.txt"), path("storage/run/soft.txt"));
    linkSync(path("outside/secret.txt"), path("storage/run/hard.txt"));
    for (const name of [
      "outside/secret.txt",
      "storage/in.txt",
      "storage/run/soft.txt",
      "storage/run/hard.txt",
    ])
      await expect(confined(() => overwrite(name))).rejects.toThrow(InputError);
    // Without bounds, too, a link is not written through: no file of ours is one.
    await expect(overwrite("storage/run/soft.txt")).rejects.toThrow(/no link may be in its place/);
    expect(readFileSync(path("outside/secret.txt"), "utf8")).toBe("secret");
  });

  it("refuses what was opened outside, even if its path lies inside by now", () => {
    const descriptor = openSync(path("outside/secret.txt"), "r");
    try {
      const opened = { descriptor, stats: fstatSync(descriptor) };
      expect(() => confined(() => assertOpenedWithin(path("storage/in.txt"), "read", opened))).toThrow(
        InputError,
      );
    } finally {
      closeSync(descriptor);
    }
  });

  it("never reads or writes outside while somebody swaps a folder for a link again and again", async () => {
    mkdirSync(path("storage/run/real"));
    for (const folder of ["storage/run/real", "outside"]) writeFileSync(path(`${folder}/data.bin`), folder);
    const place = "storage/run/place";
    let isSwapping = true;
    const swap = async (): Promise<void> => {
      for (let i = 0; isSwapping; i++) {
        symlinkSync(path(i % 2 === 0 ? "storage/run/real" : "outside"), path("next"));
        renameSync(path("next"), path(place));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const swapping = swap();
    for (let i = 0; i < 200; i++) {
      const read = await confined(() => readFileBytes(path(`${place}/data.bin`), 100)).catch(() => undefined);
      if (read !== undefined) expect(Buffer.from(read).toString()).not.toBe("outside");
      await confined(() => overwrite(`${place}/data.bin`)).catch(() => {});
      await confined(() => saveFile(path(`${place}/new.bin`), "X")).catch(() => {});
    }
    isSwapping = false;
    await swapping;
    expect(readFileSync(path("outside/data.bin"), "utf8")).toBe("outside");
    expect(existsSync(path("outside/new.bin"))).toBe(false);
  });
});

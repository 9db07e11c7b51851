import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { appendText } from "./append-text.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("appendText()", () => {
  it("makes a file, and adds to it", async () => {
    const path = join(folder, "journal.jsonl");
    for (const line of ["a\n", "b\n"]) await appendText(path, line);
    expect(readFileSync(path, "utf8")).toBe("a\nb\n");
  });

  it.skipIf(!existsSync("/dev/full"))(
    "names the file if the disk is full, or its folder is missing",
    async () => {
      await expect(appendText("/dev/full", "a")).rejects.toThrow(
        'Cannot write "/dev/full" as the disk must have room: it is full; free some space',
      );
      await expect(appendText(join(folder, "none", "x"), "a")).rejects.toThrow(/Cannot write ".*x" as/);
    },
  );
});

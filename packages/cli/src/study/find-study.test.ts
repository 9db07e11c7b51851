import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readStudy } from "@isthmus/study";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findStudy, listShippedStudies } from "./find-study.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-find-study-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("findStudy()", () => {
  it("findStudy() knows the studies that come with the program, and each can be read", async () => {
    const names = await listShippedStudies();
    expect(names).toContain("mnist-width");
    for (const name of names) expect((await readStudy((await findStudy(name)).path)).title).not.toBe("");
  });

  it("findStudy() puts results beside a file, in a folder of its name", async () => {
    const path = join(folder, "mine.yaml");
    writeFileSync(path, "title: Small");
    expect(await findStudy(path)).toEqual({ path, folder: join(folder, "mine") });
    await expect(findStudy(join(folder, "other.yaml"))).rejects.toThrow(
      /must be a file or one of .*mnist-width/,
    );
  });
});

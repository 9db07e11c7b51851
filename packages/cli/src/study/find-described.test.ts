import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSimulation } from "@isthmus/simulation";
import { readStudy } from "@isthmus/study";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findDescribed, listShipped } from "./find-described.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-find-study-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("findDescribed()", () => {
  it("findDescribed() knows the studies that come with the program, and each can be read", async () => {
    const names = listShipped("study");
    expect(names).toContain("mnist-width");
    for (const name of names)
      expect((await readStudy((await findDescribed("study", name)).path)).title).not.toBe("");
  });

  it("findDescribed() knows the simulations that come with the program, and each can be read", async () => {
    const names = listShipped("simulation");
    expect(names).toContain("attacks");
    for (const name of names) {
      const { path } = await findDescribed("simulation", name);
      expect((await readSimulation(path)).title).not.toBe("");
    }
  });

  it("findDescribed() puts results beside a file, in a folder of its name", async () => {
    const path = join(folder, "mine.yaml");
    writeFileSync(path, "title: Small");
    expect(await findDescribed("study", path)).toEqual({ path, folder: join(folder, "mine") });
    await expect(findDescribed("study", join(folder, "other.yaml"))).rejects.toThrow(
      /must be a file or one of .*mnist-width/,
    );
  });
});

import { spawnSync } from "node:child_process";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processMark } from "@isthmus/platform";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InputError } from "../errors.ts";
import { lockPathOf, takeLock } from "./take-lock.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-lock-"));
  path = lockPathOf(join(folder, "x.json"), "writing");
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const ended = spawnSync(process.execPath, ["-e", ""]).pid;

describe("takeLock()", () => {
  it("lets one in at a time", async () => {
    const giveBack = await takeLock(path, "x.json");
    expect(await readdir(folder)).toEqual([".x.json.writing.lock"]);
    await expect(takeLock(path, "x.json")).rejects.toThrow(InputError);
    await expect(takeLock(path, "x.json")).rejects.toThrow(
      'Cannot use "x.json" as no other process may be at work there: this process is; wait for its end',
    );
    await giveBack();
    expect(await readdir(folder)).toEqual([]);
    await (await takeLock(path, "x.json"))();
  });

  it("names the process that has it", async () => {
    await writeFile(path, "1-0");
    await expect(takeLock(path, "x.json")).rejects.toThrow("process 1 is");
    await writeFile(path, "1");
    await expect(takeLock(path, "x.json")).rejects.toThrow("process 1 is");
  });

  it.each([
    ["of a process that was killed", `${ended}-7`],
    ["of one that did not say when it began", `${ended}`],
    ["of one that was killed before it wrote who it is", ""],
    ["that holds something else", "hello"],
    ["of an earlier process with the number of this one", `${process.pid}-1`],
  ])("takes a lock %s", async (what, content) => {
    if (what.includes("earlier") && process.platform !== "linux") return;
    await writeFile(path, content);
    const giveBack = await takeLock(path, "x.json");
    expect(await readFile(path, "utf8")).toBe(processMark());
    await giveBack();
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves no lock where the disk is full", async () => {
    const handle = await open(join(folder, "probe"), "w");
    const prototype = Object.getPrototypeOf(handle) as { write: (...args: unknown[]) => Promise<unknown> };
    await handle.close();
    await rm(join(folder, "probe"));
    vi.spyOn(prototype, "write").mockRejectedValue(Object.assign(new TypeError("full"), { code: "ENOSPC" }));
    await expect(takeLock(path, "x.json")).rejects.toThrow(/Cannot write ".*" as the disk must have room/);
    expect(await readdir(folder)).toEqual([]);
  });

  it("says that the folder is missing", async () => {
    await expect(takeLock(join(folder, "no", ".lock"), "x")).rejects.toThrow(/its folder must exist/);
  });

  it("lets in one of many that find what a killed process left", async () => {
    for (let round = 0; round < 40; round++) {
      await writeFile(path, `${ended}-7`);
      const results = await Promise.allSettled(Array.from({ length: 24 }, () => takeLock(path, "x.json")));
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).toBeInstanceOf(InputError);
      }
      expect(await readdir(folder)).toEqual([".x.json.writing.lock"]);
    }
  });

  it("removes the claim of a process that was killed while it removed a lock", async () => {
    await writeFile(path, `${ended}-7`);
    await writeFile(`${path}.${ended}-7`, `${ended}-8`);
    await takeLock(path, "x.json");
    expect(await readdir(folder)).toEqual([".x.json.writing.lock"]);
  });

  it("takes a lock that holds no mark, whatever it holds", async () => {
    await writeFile(path, "../../elsewhere");
    await takeLock(path, "x.json");
    expect(await readdir(folder)).toEqual([".x.json.writing.lock"]);
  });
});

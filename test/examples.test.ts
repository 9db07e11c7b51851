import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { keepMeasurement, listAddedMeasurements } from "../packages/measurements/src/measurements.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
execFileSync(process.execPath, [join(root, "tools", "extract-examples.mjs")]);
const examples = readdirSync(join(root, "test", "examples")).sort();

const scripts = readdirSync(join(root, "examples", "scripts")).sort();

describe("examples in documentation", () => {
  let folder: string;

  // They run where they may write, with the files of the repository that they name in reach.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-examples-"));
    for (const name of ["examples", "node_modules"]) symlinkSync(join(root, name), join(folder, name));
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(root);
    rmSync(folder, { recursive: true });
  });

  // Tests of one process share the list of measurements, which examples may add to.
  afterEach(() => {
    for (const entry of listAddedMeasurements()) keepMeasurement(entry)();
  });

  it("README.md opens with an example", () => {
    expect(examples).toContain("readme-1.ts");
  });

  it.each(examples)("%s asserts what it shows and runs", async (name) => {
    const path = join(root, "test", "examples", name);
    expect(readFileSync(path, "utf8")).toMatch(/\bassert/);
    await import(/* @vite-ignore */ path);
  });

  it.each(scripts)(
    "the script %s says what it does, is at most 15 lines beside its imports, and runs",
    async (name) => {
      const path = join(root, "examples", "scripts", name);
      const lines = readFileSync(path, "utf8").split("\n");
      expect(lines[0]).toMatch(/^\/\/ [A-Z].*\.$/);
      const code = lines
        .join("\n")
        .replace(/^import [^;]*;$|^\/\/.*$/gm, "")
        .split("\n")
        .filter((line) => line.trim() !== "");
      expect(code.length).toBeLessThanOrEqual(15);
      await import(/* @vite-ignore */ path);
    },
  );
});

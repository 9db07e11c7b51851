import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { keepMeasurement, listAddedMeasurements } from "../packages/measurements/src/measurements.ts";
import { NARROW_MLP } from "./helpers/narrow-mlp.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
execFileSync(process.execPath, [join(root, "tools", "extract-examples.mjs")]);
const examples = readdirSync(join(root, "test", "examples")).sort();

const scripts = readdirSync(join(root, "examples", "scripts")).sort();

/** Examples that would take seconds with the networks of width 512 that they name: they run with the pair of width 128. */
const NARROW = new Set([
  "barrier-decompose-decompose-barrier-1.ts",
  "barrier-map-map-networks-1.ts",
  "barrier-readme-2.ts",
  "connectivity-dropout-stability-measure-dropout-stability-1.ts",
  "curvature-readme-1.ts",
  "docs-coefficients-1.ts",
  "docs-measurements-2.ts",
  "docs-merge-methods-1.ts",
  "federated-readme-1.ts",
  "fine-tune-and-resume.ts",
  "isthmus-readme-1.ts",
  "merge-learning-coefficients-format-tuned-recipe-1.ts",
  "merge-learning-coefficients-open-tuned-tasks-1.ts",
  "merge-learning-coefficients-tune-merge-1.ts",
  "merge-learning-heal-heal-1.ts",
  "merge-learning-heal-open-healing-1.ts",
  "merge-learning-readme-1.ts",
  "measurements-open-measure-1.ts",
  "merge-by-layer.ts",
  "recipe-compare-compare-networks-1.ts",
  "recipe-run-create-aligner-1.ts",
  "recipe-search-judges-2.ts",
  "weight-matching-align-align-1.ts",
  "weight-matching-many-align-many-1.ts",
  "weight-matching-updates-align-updates-1.ts",
]);

describe("examples in documentation", () => {
  let folder: string;

  /**
   * Goes to the folder in which the examples of a document run: they may write there, and have the files of the repository
   * that they name in reach, with other networks as `examples/mnist-mlp` if they are among the narrow ones.
   */
  function goTo(name: string): void {
    const isNarrow = NARROW.has(name);
    const place = join(folder, `${name.replace(/-\d+\.ts$/, "")}${isNarrow ? "-narrow" : ""}`);
    if (!existsSync(place)) {
      mkdirSync(join(place, "examples"), { recursive: true });
      symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
      for (const other of readdirSync(join(root, "examples"))) {
        const target = isNarrow && other === "mnist-mlp" ? NARROW_MLP : join(root, "examples", other);
        symlinkSync(target, join(place, "examples", other));
      }
      // The guides of docs/start speak of networks that they have made before.
      const made = join(root, "test", "fixtures", "start", name.replace(/^docs-start-(\w+)-\d+\.ts$/, "$1"));
      if (existsSync(made))
        for (const file of readdirSync(made)) symlinkSync(join(made, file), join(place, file));
    }
    process.chdir(place);
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-examples-"));
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

  it("those that run with narrower networks are there", () => {
    expect([...examples, ...scripts]).toEqual(expect.arrayContaining([...NARROW]));
  });

  it.each(examples)("%s runs", async (name) => {
    goTo(name);
    await import(/* @vite-ignore */ join(root, "test", "examples", name));
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
      goTo(name);
      await import(/* @vite-ignore */ path);
    },
  );
});

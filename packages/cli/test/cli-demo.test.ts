import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-demo-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("isthmus demo", () => {
  it("isthmus demo trains two networks, aligns, merges and measures them", async () => {
    const demo = ["demo", "--net", "mlp:64x2", "--epochs", "1", "--points", "3", "-o", join(folder, "demo")];
    const { code, stdout } = await runAlone(demo);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Two networks, mlp:64x2, have just learned .*: 1 epoch\n/);
    expect(stdout).toMatch(/Of 10,000 test images A reads 9\d\.\d\d % rightly, and B 9\d\.\d\d %/);
    expect(stdout).toMatch(/as trained: barrier \d\.\d+/);
    expect(stdout).toMatch(/the ridge becomes \d+ times lower/);
    expect(readdirSync(join(folder, "demo")).sort()).toEqual([
      "a.safetensors",
      "alignment.json",
      "b.safetensors",
      "barrier.html",
      "barrier.json",
      "graph.onnx",
      "merged.safetensors",
    ]);
    const drawn = await runCli(["report", join(folder, "demo", "barrier.json")]);
    expect(drawn.stdout).toMatch(/as given[\s\S]*aligned/);
    expect(drawn.code).toBe(0);
  });
});

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BarrierDecomposition, BarrierResult } from "@isthmus/barrier";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

const [a, b, graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) =>
  join(NARROW_MLP, name),
) as [string, string, string];
const measured = ["barrier", a, b, "--graph", graph, "--data", "mnist:test@200", "--points", "3"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-barrier-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Result = BarrierResult & { readonly decomposition?: BarrierDecomposition };

describe("isthmus barrier", () => {
  it("isthmus barrier --temperature measures both, on examples for statistics that are kept", async () => {
    const page = join(folder, "page.html");
    const other = ["--recalibrate-data", "mnist:train@100", "--statistics", "keep"];
    const result = await runJson<Result>([...measured, "--temperature", ...other, "--report", page]);
    const { barrier, tempered, statistics } = result;
    expect(statistics).toBe("keep");
    expect(result).not.toHaveProperty("decomposition");
    expect(tempered).toMatchObject({ data: "mnist:train@100", examples: 100 });
    // Half-way between these networks logits are small: half of the barrier is that they are not sure.
    expect(barrier.loss.chord).toBeGreaterThan(1);
    expect(tempered?.barrier.chord).toBeLessThan(0.6 * barrier.loss.chord);
    expect(tempered?.points[1]?.temperature).toBeLessThan(0.3);
    expect(readFileSync(page, "utf8")).toContain("With a temperature fitted at every place it is 0.");
    const plain = await runJson<Result>(measured);
    expect(plain.barrier).toEqual(barrier);
    expect(plain).not.toHaveProperty("tempered");
  });

  it("isthmus barrier --decompose takes the last barrier apart, by layers, blocks or groups", async () => {
    const page = join(folder, "page.html");
    const aligned = [...measured, "--align", "--restarts", "1", "--compare"];
    const args = [...aligned, "--decompose", "--groups", "ends=layers.0+layers.3"];
    const { barrier, decomposition } = await runJson<Result>([...args, "--report", page]);
    expect(decomposition?.parts.map(({ part }) => part)).toEqual(["ends", "layers.1", "layers.2"]);
    expect(decomposition?.excess.loss).toBe(barrier.loss.midpoint);
    expect(decomposition).not.toHaveProperty("tempered");
    const html = readFileSync(page, "utf8");
    expect(html).toContain("The barrier half-way, by part");
    expect(html).toContain("The barrier half-way, by example");
    const { stdout } = await runCli([...measured, "--temperature", "--decompose", "block"]);
    expect(stdout).toMatch(/^with temperature, barrier +0\.\d+$/m);
    expect(stdout).toMatch(/^Half-way the loss with temperature is 0\.\d+ nats above/m);
    expect(stdout).toMatch(/^layers\.0 +100,480 /m);
  });

  it("isthmus barrier says what does not go together", async () => {
    for (const [args, message] of [
      [["--groups", "head=layers.3"], /with --groups alone as it belongs to --decompose: add that/],
      [["--decompose", "--path", "spherical"], /on the line between A and B: got .*--path spherical/],
      [["--decompose", "tensor"], /Allowed choices are layer, block/],
      [["--decompose", "--statistics", "repair-closed-form"], /"statistics" must be one of/],
    ] as const) {
      const { code, stderr } = await runCli([...measured, ...args]);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    }
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli, runJson } from "./helpers/run-cli.ts";

const mlp = fileURLToPath(new URL("../examples/mnist-mlp", import.meta.url));
const [a, b, graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) => join(mlp, name)) as [
  string,
  string,
  string,
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-align-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface AlignJson {
  readonly objective: { readonly before: number; readonly after: number };
  readonly bound: number;
  readonly seconds: { readonly reading: number };
}

describe("isthmus align", () => {
  it("isthmus align keeps within memory, matches what it is told, and says how far the bound is", async () => {
    const output = join(folder, "alignment.json");
    const args = ["align", a, b, "--graph", graph, "--restarts", "1", "-o", output];
    const [loaded, streamed, one] = [
      await runJson<AlignJson>([...args, "--search", "coordinate-descent"]),
      await runJson<AlignJson>([...args, "--memory", "64MB"]),
      await runJson<AlignJson>([...args, "--only", "layers.0*"]),
    ];
    expect(streamed.objective.after).toBeCloseTo(loaded.objective.after, 3);
    expect(streamed.seconds.reading).toBeGreaterThan(0);
    expect(one.objective.after).toBeLessThan(loaded.objective.after);
    expect(loaded.bound).toBeGreaterThan(loaded.objective.after);
    const wrong = await runCli([...args, "--skip", "nothing"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(
      /every pattern of skip must fit the name of a symmetry: "nothing" fits none of/,
    );
    const other = await runCli([
      ...args,
      "--method",
      "activation",
      "--memory",
      "1GB",
      "--data",
      "mnist:test@9",
    ]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/--memory as only --method weight takes it/);
  });
});

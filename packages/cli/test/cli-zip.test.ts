import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, readGraph } from "@isthmus/graph";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const [a = "", b = "", graph = ""] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) =>
  join(NARROW_MLP, name),
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-zip-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface ZipJson {
  readonly symmetries: readonly { readonly name: string; readonly width: number }[];
  readonly layers: readonly { readonly before: number; readonly after: number }[];
  readonly outputs: readonly string[];
}

describe("isthmus zip", () => {
  it("isthmus zip writes a graph and a checkpoint that classify", async () => {
    const output = join(folder, "wide");
    const args = ["zip", a, b, "--graph", graph, "--restarts", "1", "-o", output];
    const result = await runJson<ZipJson>(
      [...args, "--width", "1.25", "--data", "mnist:train@200"],
      {},
      runAlone,
    );
    expect(result.symmetries.map(({ width }) => width)).toEqual([160, 160, 160]);
    expect(result.layers).toHaveLength(4);
    expect(result.outputs).toEqual([`${output}.onnx`, `${output}.safetensors`]);
    const wide = await readGraph(`${output}.onnx`);
    const network = await openCheckpoint(`${output}.safetensors`);
    const data = await openDataSet("mnist:test@500");
    const evaluator = await createEvaluator({ graph: wide.graph, engine: createOnnxRuntimeEngine() }, data);
    expect((await evaluator.evaluate(network)).error).toBeLessThan(0.05);
    await evaluator.release();
    await network.close();
  });

  it("isthmus zip says what is wrong before it works, and writes nothing", async () => {
    const output = join(folder, "wide");
    const args = ["zip", a, b, "--graph", graph, "-o", output];
    const [one, activations, tooWide, unknown] = [
      await runCli([...args, "--data-a", "mnist:train@50"]),
      await runCli([...args, "--method", "activation"]),
      await runCli([...args, "--width", "2.5"]),
      await runCli([...args, "--restarts", "1", "--width", "nothing=1.5"]),
    ];
    expect([one.code, activations.code, tooWide.code, unknown.code]).toEqual([2, 2, 2, 2]);
    expect(one.stderr).toContain("--data-a and --data-b belong together: got only --data-a");
    expect(activations.stderr).toContain("add --data");
    expect(tooWide.stderr).toContain("from 1 to 2");
    expect(unknown.stderr).toContain("the symmetries are layers.0, layers.1, layers.2");
    expect(existsSync(`${output}.onnx`)).toBe(false);
    expect(existsSync(`${output}.safetensors`)).toBe(false);
  });
});

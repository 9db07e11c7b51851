import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

let folder: string;
const inFolder = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-fuse-"));
  for (const [width, name] of [
    [8, "narrow"],
    [16, "wide"],
  ] as const) {
    const args = ["train", "--net", `mlp:${width}x2`, "--data", "mnist:train@200", "--eval-data", "none"];
    const { code } = await runCli([...args, "--epochs", "1", "-o", inFolder(`${name}.safetensors`), "-q"]);
    expect(code).toBe(0);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const networks = () => [
  ...[inFolder("narrow.safetensors"), inFolder("wide.safetensors")],
  ...["--graph-a", inFolder("narrow.onnx"), "--graph-b", inFolder("wide.onnx")],
];

interface FuseJson {
  readonly symmetries: readonly { readonly name: string; readonly units: object }[];
  readonly outputs: readonly string[];
}

interface BarrierJson {
  readonly points: readonly { readonly loss: number }[];
}

describe("dropout, landscape, similarity and fuse", () => {
  it.each([
    ["dropout", ["--trials", "1"]],
    ["landscape", ["--points", "2", "--dimensions", "1"]],
    ["similarity", ["--measures", "linear-cka"]],
    ["fuse", ["--method", "activation", "-o", "noted.safetensors"]],
  ])("%s says how bytes are scaled, once", async (verb, rest) => {
    const graph = inFolder("narrow.onnx");
    const graphs = verb === "fuse" ? ["--graph-a", graph, "--graph-b", graph] : ["--graph", graph];
    const network = inFolder("narrow.safetensors");
    const names = verb === "dropout" || verb === "landscape" ? [network] : [network, network];
    const args = [verb, ...names, ...graphs, "--data", "mnist:test@20", ...rest];
    const { code, stderr } = await runCli(args, { cwd: folder });
    expect(code).toBe(0);
    expect(stderr.match(/Bytes of mnist:test@20 are fed as/g)).toHaveLength(1);
  });
});

describe("isthmus fuse", () => {
  it("widens a network by maps that are checked, and asks for examples", async () => {
    const output = inFolder("rotated.safetensors");
    const rotated = ["fuse", ...networks(), "--plan", "rotated", "--weight", "1", "-o", output];
    const result = await runJson<FuseJson & { readonly error: number }>([
      ...rotated,
      "--data",
      "mnist:test@50",
    ]);
    expect(result.error).toBeLessThan(1e-5);
    expect(result.symmetries.map(({ units }) => units)).toEqual(Array(2).fill({ source: 8, target: 16 }));
    const { code, stderr } = await runCli(rotated);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/--plan rotated as it needs examples: add --data/),
    ]);
  });

  it("widens a network, which computes the same in the other's graph", async () => {
    const output = inFolder("widened.safetensors");
    const result = await runJson<FuseJson>(["fuse", ...networks(), "--weight", "1", "-o", output]);
    expect(result.symmetries.map(({ name, units }) => [name, units])).toEqual([
      ["layers.0", { source: 8, target: 16 }],
      ["layers.1", { source: 8, target: 16 }],
    ]);
    expect(result.outputs).toEqual([output]);
    const ends = ["--data", "mnist:test@300", "--points", "3"];
    const narrow = inFolder("narrow.safetensors");
    const before = await runJson<BarrierJson>([
      "barrier",
      narrow,
      narrow,
      "--graph",
      inFolder("narrow.onnx"),
      ...ends,
    ]);
    const after = await runJson<BarrierJson>([
      "barrier",
      output,
      output,
      "--graph",
      inFolder("wide.onnx"),
      ...ends,
    ]);
    expect(after.points[0]?.loss).toBeCloseTo(before.points[0]?.loss ?? Number.NaN, 4);
  });

  it("fuses into the narrow one by activations, in mixtures, and repairs the result", async () => {
    const output = inFolder("fused.safetensors");
    const [a, b] = [inFolder("wide.safetensors"), inFolder("narrow.safetensors")];
    const graphs = ["--graph-a", inFolder("wide.onnx"), "--graph-b", inFolder("narrow.onnx")];
    const how = [
      "--method",
      "activation",
      "--plan",
      "soft",
      "--statistics",
      "repair",
      "--data",
      "mnist:train@200",
    ];
    const { code, stdout } = await runAlone(["fuse", a, b, ...graphs, ...how, "-o", output]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/layers\.0 +16 +8 /);
    const fused = await openCheckpoint(output);
    expect(fused.tensors.get("layers.1.weight")?.shape).toEqual([8, 8]);
    expect(Object.values(fused.metadata).join()).toMatch(
      /"method":"activation","plan":"soft".*"statistics":"repair"/,
    );
    await fused.close();
  });

  it("says what is missing, and writes over no input", async () => {
    const output = inFolder("none.safetensors");
    const [a = "", b = "", , graph = ""] = networks();
    const withoutData = await runCli(["fuse", ...networks(), "--method", "activation", "-o", output]);
    expect([withoutData.code, withoutData.stderr]).toEqual([
      2,
      expect.stringMatching(/needs examples: add --data/),
    ]);
    const withoutGraph = await runCli(["fuse", a, b, "--graph-a", graph, "-o", output]);
    expect(withoutGraph.code).toBe(2);
    expect(withoutGraph.stderr).toMatch(/--graph-b.*needs the architecture/);
    const [narrow = "", wide = ""] = ["narrow.onnx", "wide.onnx"].map(inFolder);
    const swapped = await runCli(["fuse", a, b, "--graph-a", wide, "--graph-b", narrow, "-o", output]);
    expect([swapped.code, swapped.stderr]).toEqual([
      2,
      expect.stringMatching(/--graph-a has the weights of B, and --graph-b those of A: exchange them/),
    ]);
    const over = await runCli(["fuse", ...networks(), "-o", a]);
    expect(over.code).not.toBe(0);
    expect(over.stderr).toMatch(/narrow\.safetensors/);
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

const mlp = fileURLToPath(new URL("../../../examples/mnist-mlp", import.meta.url));
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

interface NormalizedJson {
  readonly normalized: {
    readonly kinds: readonly string[];
    readonly distance: { readonly before: number; readonly after: number };
  };
  readonly verified: { readonly maxRelativeError: number };
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
    expect(other.stderr).toMatch(/--memory as only --method weight has this option: got both/);
  });

  it("isthmus align --normalize undoes scales, says so, and is measured closer", async () => {
    const output = join(folder, "b.safetensors");
    const args = ["align", a, b, "--graph", graph, "--restarts", "1", "--search", "coordinate-descent"];
    const { normalized, verified } = await runJson<NormalizedJson>([...args, "--normalize", "-o", output]);
    expect(normalized).toMatchObject({ kinds: ["scale", "sign", "rotation"], scales: 1536, rotations: 0 });
    expect(normalized.distance.after).toBeLessThan(normalized.distance.before);
    expect(verified.maxRelativeError).toBeLessThan(1e-3);
  });

  it.each([
    [["align", a, b, "--normalize", "scale,size", "-o", "x.safetensors"], /"size" is not one/],
    [["align", a, b, "--normalize", "-o", "x.json"], /it holds permutations only: name a \.safetensors/],
    [
      ["align", a, b, "--normalize", "--memory", "1GB", "-o", "x.safetensors"],
      /held in memory: leave one out/,
    ],
    [["merge", a, b, "--normalize", "-o", "x.safetensors"], /part of --align: add --align/],
    [["barrier", a, b, "--normalize", "--data", "mnist:test@9"], /part of --align: add --align/],
  ])("isthmus %j is refused", async (args, message) => {
    const graphs = args[0] === "merge" ? [] : ["--graph", graph];
    const { code, stderr } = await runCli([...args, ...graphs], { cwd: folder });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
  toFloat32,
} from "@isthmus/core";
import type { ComparisonResult, MergeVerdict, NetworkComparison } from "@isthmus/recipe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NARROW_MLP } from "../../../test/helpers/narrow-mlp.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const [a, b, graph] = ["s0.safetensors", "s1.safetensors", "graph.onnx"].map((name) =>
  join(NARROW_MLP, name),
) as [string, string, string];

let folder: string;
let tuned: string;
let reversed: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-compare-"));
  [tuned, reversed] = [join(folder, "tuned.safetensors"), join(folder, "reversed.safetensors")];
  const first = await openCheckpoint(a);
  await saveCheckpoint(
    await changed(first, (data) => data.map((x, i) => x + 0.002 * Math.sin(i * i))),
    tuned,
  );
  await saveCheckpoint(await reverseFirstUnits(first), reversed);
  await first.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function changed(
  network: Checkpoint,
  change: (data: Float32Array, name: string) => Float32Array,
): Promise<Checkpoint> {
  const tensors = new Map<string, ReturnType<typeof createTensor>>();
  for (const [name, { shape }] of network.tensors) {
    const { data, dtype } = await network.read(name);
    tensors.set(name, createTensor("f32", shape, change(toFloat32(data, dtype), name)));
  }
  return createCheckpoint(tensors, {}, "changed");
}

/** Puts the units of the first hidden layer in the opposite order. */
function reverseFirstUnits(network: Checkpoint): Promise<Checkpoint> {
  return changed(network, (data, name) => {
    const { shape } = network.tensors.get(name) ?? expect.fail();
    const [rows = 1, columns = 1] = shape;
    if (name === "layers.0.bias") return data.toReversed();
    if (name === "layers.0.weight")
      return data.map(
        (_, i) => data[(rows - 1 - Math.floor(i / columns)) * columns + (i % columns)] as number,
      );
    if (name === "layers.1.weight")
      return data.map(
        (_, i) => data[Math.floor(i / columns) * columns + columns - 1 - (i % columns)] as number,
      );
    return data;
  });
}

type Result = NetworkComparison & MergeVerdict & { readonly verdicts: MergeVerdict["pairs"] };

describe("isthmus compare", () => {
  it("isthmus compare says that networks were trained apart, and what to do", async () => {
    const { code, stdout } = await runAlone(["compare", a, b]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 and 2 .* different seed, 9\d % sure$/m);
    expect(stdout).toMatch(/^different seed: align first/m);
    expect(stdout).toMatch(/^warning: .*trained apart/m);
    expect(stdout).toMatch(/^ {2}align them first: isthmus merge --align/m);
  });

  it("isthmus compare prints one object with the numbers and what they mean", async () => {
    const result = await runJson<Result>(["compare", a, tuned, "--base", a]);
    expect(result).toMatchObject({ kind: "comparison", base: 2, verdict: "same ancestor" });
    expect(result.verdicts.map(({ verdict }) => verdict)).toEqual([
      "same ancestor",
      "identical",
      "same ancestor",
    ]);
    expect(result.pairs[0]?.kinship).toBeGreaterThan(0.9);
    expect(result.networks).toHaveLength(3);
  });

  it("isthmus compare shows steps from a base, and what alignment changes", async () => {
    const steps = await runCli(["compare", tuned, b, "--base", a]);
    expect(steps.stdout).toMatch(/^steps from the base, in units of its norm$/m);
    expect(steps.stdout).toMatch(/^error: network 2 .* not made from the base/m);
    const { stdout } = await runCli(["compare", a, b, "--graph", graph]);
    expect(stdout).toMatch(/^networks .* aligned {2}verdict$/m);
    expect(stdout).toMatch(/20 % nearer/);
  });

  it("isthmus compare reads the files beside weights, and names with a prefix", async () => {
    const model = join(folder, "model");
    mkdirSync(model);
    const network = await openCheckpoint(tuned);
    const prefixed = await changed(network, (data) => data);
    const named = new Map<string, ReturnType<typeof createTensor>>();
    for (const name of prefixed.tensors.keys()) named.set(`module.${name}`, await prefixed.read(name));
    await saveCheckpoint(createCheckpoint(named, {}, "named"), join(model, "model.safetensors"));
    await network.close();
    writeFileSync(
      join(model, "config.json"),
      JSON.stringify({ quantization_config: { quant_method: "hqq" } }),
    );
    const quantized = await runCli(["compare", a, model, "--json"]);
    expect(quantized.code).toBe(1);
    const result = JSON.parse(quantized.stdout) as Result;
    expect(result.verdict).toBe("same ancestor");
    expect(result.findings.find(({ kind }) => kind === "quantized")?.message).toMatch(/hqq, "config.json"/);
  });

  it("isthmus compare writes its result and a page, and report draws the same of the result", async () => {
    const [json, page, again] = ["c.json", "c.html", "again.html"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const compared = await runCli(["compare", a, tuned, reversed, "-o", json, "--report", page]);
    expect(compared.stdout).toMatch(/\nWrote .*c\.json, .*c\.html\n$/);
    expect(readFileSync(page, "utf8")).toContain("<h1>s0.safetensors, tuned.safetensors, reversed");
    const reported = await runCli(["report", json, "-o", again]);
    expect(reported.code).toBe(0);
    // But for the files that each wrote, the terminal shows the same.
    const shown = ({ stdout }: { readonly stdout: string }) => stdout.replace(/\nWrote .*/, "");
    expect(shown(reported)).toBe(shown(compared));
    expect(readFileSync(again, "utf8")).toContain("permuted copy");
    const wrong = await runCli(["compare", a, tuned, "-o", join(folder, "c.txt")]);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/must name a file ending in \.json/),
    });
  });

  it("isthmus compare ends with 1 where a merge would be meaningless, and says so in its help", async () => {
    const copy = await runCli(["compare", a, reversed]);
    expect(copy.code).toBe(1);
    expect(copy.stdout).toMatch(/^error: /m);
    expect(copy.stderr).toMatch(/^isthmus: the networks cannot be merged as trained: 1 error above$/m);
    const strange = join(folder, "strange.safetensors");
    await saveCheckpoint(
      createCheckpoint({ x: createTensor("f32", [2], new Float32Array([1, 2])) }),
      strange,
    );
    const other = await runCli(["compare", a, strange]);
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/^isthmus: the networks cannot be merged: their architectures differ$/m);
    // Warnings alone are no reason to stop.
    const apart = await runJson<Result>(["compare", a, b]);
    expect(apart.findings.map(({ severity }) => severity)).toContain("warning");
    expect((await runCli(["compare", "--help"])).stdout).toMatch(
      /Exit code: 0 if .*; 1 if a finding is an error/,
    );
  });

  it("isthmus compare advises, by gradients too, and writes a recipe that isthmus merge takes", async () => {
    const [recipe, merged] = [join(folder, "advice.yaml"), join(folder, "advised.safetensors")];
    const other = join(folder, "other.safetensors");
    const first = await openCheckpoint(a);
    await saveCheckpoint(
      await changed(first, (data) => data.map((x, i) => x + 0.002 * Math.cos(i * i))),
      other,
    );
    await first.close();
    const names = ["compare", tuned, other, "--base", a, "--recipe", recipe];
    const json = join(folder, "advice.json");
    const measured = ["--graph", graph, "--data", "mnist:train@16"];
    const { code, stdout } = await runCli([...names, ...measured, "-o", json]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^advice: iso_c with scale 0\.5, with the base as base_model$/m);
    expect(stdout).toMatch(/^base {2}.*\n[├└]─ [12] /m);
    expect(stdout).toMatch(/^ {2}isthmus merge .*advice\.yaml -o merged\.safetensors$/m);
    expect(readFileSync(recipe, "utf8")).toMatch(/^# unrelated steps: .*\nmerge_method: iso_c\nbase_model: /);
    expect((await runCli(["merge", recipe, "-o", merged])).code).toBe(0);
    const { advice } = JSON.parse(readFileSync(json, "utf8")) as ComparisonResult;
    expect(advice?.signs.gradients).toMatchObject({ alignment: null, slope: expect.any(Number) });
    expect((await runCli(["compare", tuned, other, "--data", "mnist"])).stderr).toMatch(/--graph/);
    expect((await runCli(["compare", tuned, other, "--recipe", "advice.json"])).stderr).toMatch(
      /ending in \.yaml/,
    );
  });

  it("isthmus compare needs two checkpoints", async () => {
    const { code, stderr } = await runCli(["compare", a]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^isthmus compare: Cannot compare networks as there must be at least two: got 1/);
    const missing = await runCli(["compare", a, "missing.safetensors"]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/^isthmus compare: Cannot open "missing\.safetensors"/);
  });
});

describe("isthmus merge, checked beforehand", () => {
  const output = (name: string) => join(folder, name);

  it("isthmus merge warns of networks that were trained apart, and merges", async () => {
    const { code, stderr } = await runCli(["merge", a, b, "--quiet", "-o", output("apart.safetensors")]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: network 1 .* were trained apart/);
    const quiet = await runCli(["merge", a, b, "--no-check", "--quiet", "-o", output("apart.safetensors")]);
    expect(quiet).toMatchObject({ code: 0, stderr: "" });
  });

  it("isthmus merge says nothing about fine-tunes, nor about networks that it aligns", async () => {
    const kin = await runCli(["merge", a, tuned, "--quiet", "-o", output("kin.safetensors")]);
    expect(kin).toMatchObject({ code: 0, stderr: "" });
    const aligned = await runCli([
      ...["merge", a, b, "--align", "--restarts", "1", "--graph", graph, "--quiet"],
      ...["-o", output("kin.safetensors")],
    ]);
    expect(aligned).toMatchObject({ code: 0, stderr: "" });
  });

  it("isthmus merge refuses the mean of a network and its permuted copy, unless told not to look", async () => {
    const path = output("copy.safetensors");
    const { code, stderr } = await runCli(["merge", a, reversed, "-o", path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^isthmus merge: Cannot merge as the result would be meaningless: .*; --no-check/);
    expect(existsSync(path)).toBe(false);
    expect((await runCli(["merge", a, reversed, "--no-check", "-o", path])).code).toBe(0);
    const alignment = ["--align", "--restarts", "1", "--graph", graph];
    const aligned = await runCli(["merge", a, reversed, ...alignment, "-o", path]);
    expect(aligned.code).toBe(0);
  });

  it("isthmus merge --require-barrier merges only where the loss stays low", async () => {
    const path = output("gated.safetensors");
    const gate = ["--graph", graph, "--data", "mnist:test@500", "--require-barrier", "0.05", "-o", path];
    const apart = await runCli(["merge", a, b, "--no-check", ...gate]);
    expect(apart.code).toBe(1);
    expect(apart.stderr).toMatch(
      /^isthmus: nothing was merged: the loss barrier between checkpoints 1 and 2 is 1\.\d+, more than the 0\.05/m,
    );
    expect(apart.stdout).toMatch(/^barrier of 1 and 2 {2}1\.\d+\n$/);
    expect(existsSync(path)).toBe(false);
    const result = await runJson<{ gate: { barriers: { loss: number }[] } }>([
      "merge",
      a,
      b,
      ...["--align", "--restarts", "1"],
      ...gate,
    ]);
    expect(result.gate.barriers[0]?.loss).toBeLessThan(0.05);
    expect(existsSync(path)).toBe(true);
  });

  it("isthmus merge --require-barrier needs examples and the architecture", async () => {
    const gate = ["merge", a, b, "--require-barrier", "0.05", "-o", output("none.safetensors")];
    const without = await runCli(gate);
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/--require-barrier needs --data/);
    expect((await runCli([...gate, "--data", "mnist:test@10"])).stderr).toMatch(/give --graph model\.onnx/);
  });
});

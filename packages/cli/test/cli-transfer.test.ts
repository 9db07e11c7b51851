import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { readGraph } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

let folder: string;
const inFolder = (name: string) => join(folder, name);

/** Trains a network on a few digits. */
async function train(name: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runCli([
    ...["train", "--data", "mnist:train@200", "--eval-data", "none", "--epochs", "1", "-q"],
    ...["-o", inFolder(name), ...args],
  ]);
  expect([code, stderr]).toEqual([0, expect.anything()]);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-transfer-"));
  await train("base.safetensors", "--net", "mlp:8x2");
  await train("other.safetensors", "--net", "mlp:8x2", "--seed", "1");
  const from = ["--from", inFolder("base.safetensors"), "--graph", inFolder("base.onnx"), "--seed", "2"];
  await train("tuned.safetensors", ...from);
  const { graph } = await readGraph(inFolder("base.onnx"));
  const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
  for (const [name, copy] of [
    ["base", "copy"],
    ["tuned", "expected"],
  ] as const) {
    const network = await openCheckpoint(inFolder(`${name}.safetensors`));
    await saveCheckpoint(permute(randomAlignment(spec, 3), network, spec), inFolder(`${copy}.safetensors`));
    await network.close();
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const transfer = (target: string, ...options: string[]) => [
  "transfer",
  ...["base", "tuned", target].map((name) => inFolder(`${name}.safetensors`)),
  ...["--graph", inFolder("base.onnx"), "-o", inFolder("out.safetensors"), ...options],
];

async function tensorsOf(name: string): Promise<ReadonlyMap<string, Tensor>> {
  const checkpoint = await openCheckpoint(inFolder(name));
  const tensors = new Map<string, Tensor>();
  for (const tensor of checkpoint.tensors.keys()) tensors.set(tensor, await checkpoint.read(tensor));
  await checkpoint.close();
  return tensors;
}

interface TransferJson {
  readonly scale: number;
  readonly task: { readonly relative: number; readonly moved: number; readonly kept: number };
  readonly tensors: readonly { readonly name: string }[];
  readonly tried: readonly { readonly scale: number; readonly loss: number }[];
  readonly alignment?: { readonly verified: { readonly passed: boolean } };
  readonly warnings: readonly string[];
  readonly outputs: readonly string[];
}

interface AcrossJson extends Pick<TransferJson, "scale" | "tried" | "outputs"> {
  readonly maps: string;
  readonly error: number;
  readonly units: readonly { readonly kind: string; readonly units: { source: number; target: number } }[];
}

describe("isthmus transfer", () => {
  it("gives a permuted copy of the base the permuted fine-tune", async () => {
    const result = await runJson<TransferJson>(transfer("copy"));
    expect(result).toMatchObject({ scale: 1, tried: [], outputs: [inFolder("out.safetensors")] });
    expect(result.alignment?.verified.passed).toBe(true);
    expect(result.task.relative).toBeLessThan(0.5);
    expect(result.tensors.map(({ name }) => name)).toContain("layers.1.weight");
    expect(await tensorsOf("out.safetensors")).toEqual(await tensorsOf("expected.safetensors"));
    const saved = await openCheckpoint(inFolder("out.safetensors"));
    expect(Object.values(saved.metadata).join()).toMatch(/"verb":"transfer".*"scale":1/);
    await saved.close();
  });

  it("tries scales on data, masks by sign, and says what it did", async () => {
    const data = ["--data", "mnist:test@100", "--mask-by-sign", "mnist:train@20"];
    const { code, stdout } = await runAlone(transfer("other", "--scale", "0.5:1.5:0.5", ...data));
    expect(code).toBe(0);
    expect(stdout).toMatch(/ 0 .*base B alone/);
    expect(stdout).toMatch(/ 1\.5 .*%/);
    expect(stdout).toMatch(/taken/);
    expect(stdout).toMatch(/the mask keeps \d+\.\d %/);
    const naive = await runJson<TransferJson>(transfer("other", "--no-align", "--scale", "0"));
    expect(naive).toMatchObject({ scale: 0, task: { moved: 0, kept: 1 } });
    expect(naive.alignment).toBeUndefined();
    expect(await tensorsOf("out.safetensors")).toEqual(await tensorsOf("other.safetensors"));
  });

  it("moves a fine-tune to a base of another width, and names what does not fit", async () => {
    await train("wide.safetensors", "--net", "mlp:12x2", "--seed", "1");
    await train("deep.safetensors", "--net", "mlp:12x3", "--seed", "1");
    const across = (target: string, ...options: string[]) =>
      transfer(target, "--graph-b", inFolder(`${target}.onnx`), ...options);
    const match = ["--match-data", "mnist:test@100"];
    const result = await runJson<AcrossJson>(across("wide", ...match, "--data", "mnist:test@50"));
    expect(result).toMatchObject({ scale: 1, maps: "weights", outputs: [inFolder("out.safetensors")] });
    expect(result.units.map(({ kind, units }) => [kind, units.source, units.target])).toEqual([
      ["units", 8, 12],
      ["units", 8, 12],
    ]);
    expect(result.error).toBeLessThan(1e-5);
    expect(result.tried.map(({ scale }) => scale)).toEqual([0, 1]);
    expect((await tensorsOf("out.safetensors")).get("layers.1.weight")?.shape).toEqual([12, 12]);
    const swapped = across("wide", ...match);
    swapped[swapped.indexOf("--graph") + 1] = inFolder("wide.onnx");
    swapped[swapped.indexOf("--graph-b") + 1] = inFolder("base.onnx");
    for (const [args, message] of [
      [across("wide"), /activations are compared on examples.*--match-data/],
      [across("deep", ...match), /only the second has layers\.2, as of another depth/],
      [transfer("wide", ...match), /name the graph of base B by --graph-b/],
      [across("wide", ...match, "--no-align"), /with --no-align as units are mapped by --maps/],
      [transfer("other", "--maps", "weights"), /with --maps as both bases have one graph/],
      [swapped, /--graph has the weights of B, and --graph-b those of A: exchange them/],
    ] as const) {
      const { code, stdout, stderr } = await runCli(args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(message);
    }
  });

  it("warns of a fine-tune of another base", async () => {
    const args = transfer("copy");
    args[2] = inFolder("other.safetensors");
    const { code, stderr } = await runCli(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /Warning: .*other\.safetensors" does not look like a fine-tune of .*base\.safetensors"/,
    );
  });

  it("names what it cannot transfer, and writes nothing", async () => {
    const network = await tensorsOf("tuned.safetensors");
    const bias = createTensor("f32", [8], new Float32Array(8).fill(Number.NaN));
    const broken = createCheckpoint(new Map([...network, ["layers.1.bias", bias]]));
    await saveCheckpoint(broken, inFolder("nan.safetensors"), { allowNonFinite: true });
    await train("narrow.safetensors", "--net", "mlp:4x2");
    for (const [tuned, options, message] of [
      ["nan", [], /nan\.safetensors.*"layers\.1\.bias" 8 of 8 are NaN/],
      ["narrow", [], /narrow\.safetensors|layers\.0\.weight/],
      ["tuned", ["--scale", "0.5,1"], /at 2 scales as examples must tell which is best.*--data/],
      ["tuned", ["--scale", "1:0:1"], /range from:to:step/],
      ["tuned", ["--no-align", "--normalize"], /--no-align and --normalize/],
      ["tuned", ["--statistics", "recalibrate"], /needs examples: add --data/],
    ] as const) {
      const args = transfer("copy", ...options);
      args[2] = inFolder(`${tuned}.safetensors`);
      args[args.indexOf("-o") + 1] = inFolder("none.safetensors");
      const { code, stdout, stderr } = await runCli(args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(message);
    }
    expect(existsSync(inFolder("none.safetensors"))).toBe(false);
    const over = transfer("copy");
    over[over.indexOf("-o") + 1] = inFolder("tuned.safetensors");
    expect((await runCli(over)).code).toBe(2);
  });
});

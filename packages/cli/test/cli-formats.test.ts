import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTensor, openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bakeWeights, bindWeights, decodeGraph, type Graph, readGraph } from "@isthmus/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const pathOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const FORMATS = pathOf("packages/core/test-fixtures/formats");
const NETWORK = pathOf("examples/mnist-mlp/s0.safetensors");
const GRAPH = pathOf("examples/mnist-mlp/graph.onnx");

interface Comparison {
  readonly same: boolean;
  readonly totals: unknown;
  readonly tensors: readonly { readonly name: string; readonly largest: number; readonly cosine: number }[];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-formats-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Sorts the types of metadata, which are in the order of the entries of each file. */
const sorted = <T extends { ofModel: Record<string, string> }>({ ofModel, ...others }: T) => ({
  ...others,
  ofModel: { ...ofModel, "gguf.types": JSON.parse(ofModel["gguf.types"] ?? "{}") },
});

/** The shape of the input of a graph for a batch. */
const shapeOf = (graph: Graph, batch: number): number[] =>
  (graph.inputs[0]?.shape ?? []).map((extent) => (typeof extent === "number" ? extent : batch));

describe("isthmus convert", () => {
  it("isthmus convert goes round through all formats without a change", async () => {
    const paths = ["a.npz", "a.gguf", "a.pt", "a.safetensors"].map((name) => join(folder, name));
    let from = NETWORK;
    for (const path of paths) {
      const { stdout } = await runCli(["convert", from, path]);
      expect(stdout).toMatch(new RegExp(`^Wrote .*${path.slice(-3)} \\(1\\.8\\d MB\\)$`, "m"));
      from = path;
    }
    const compared = await runJson<Comparison>(["inspect", NETWORK, paths[3]!]);
    expect(compared).toMatchObject({ same: true, totals: { compared: 8, different: 0, structure: 0 } });
  });

  it("isthmus merge of GGUF files keeps architecture and tokenizer, in GGUF and by way of safetensors", async () => {
    const quants = join(FORMATS, "quants.gguf");
    const [direct, middle, back] = ["merged.gguf", "merged.safetensors", "back.gguf"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    for (const output of [direct, middle])
      expect(await runCli(["merge", quants, quants, "--no-check", "-o", output])).toMatchObject({ code: 0 });
    const converted = await runCli(["convert", middle, back]);
    expect([converted.code, converted.stderr]).toEqual([0, ""]);
    const contentsOf = async (path: string) => {
      await using checkpoint = await openCheckpoint(path);
      const { isthmus, "general.file_type": _stored, ...ofModel } = checkpoint.metadata;
      return { isthmus, ofModel, names: [...checkpoint.tensors.keys()].sort() };
    };
    const original = await contentsOf(quants);
    const kept = sorted({ ofModel: original.ofModel, names: original.names });
    const ofModel = {
      ...kept.ofModel,
      "general.name": "small + small",
      "general.base_model.count": "2",
      "general.base_model.0.name": "small",
      "general.base_model.1.name": "small",
      "gguf.types": { ...kept.ofModel["gguf.types"], "general.base_model.count": "u32" },
    };
    for (const path of [direct, back]) {
      const { isthmus, ...others } = await contentsOf(path);
      expect(JSON.parse(isthmus ?? "")).toMatchObject({ verb: "merge", weights: [0.5, 0.5] });
      expect(sorted(others)).toEqual({ ...kept, ofModel });
    }
    const plain = await runCli(["merge", NETWORK, NETWORK, "-o", join(folder, "plain.gguf")]);
    expect([plain.code, plain.stderr]).toEqual([
      2,
      expect.stringContaining("a GGUF file has its architecture and tokenizer in its metadata"),
    ]);
    const noted = await runCli(["convert", NETWORK, join(folder, "noted.gguf")]);
    expect([noted.code, noted.stderr]).toEqual([0, expect.stringContaining("has no general.architecture")]);
  });

  it("isthmus convert writes weights for TensorFlow.js, which it reads again", async () => {
    const [model, back] = [join(folder, "web", "model.json"), join(folder, "back.safetensors")];
    const { stdout } = await runCli(["convert", NETWORK, model, "--max-shard-size", "1MB"]);
    expect(stdout).toMatch(/^Wrote .*model\.json \(1\.8\d MB, 3 files\)$/m);
    await runCli(["convert", model, back, "--dtype", "f16"]);
    const hashes = async (path: string) =>
      (await runJson<{ tensors: object[] }>(["inspect", path, "--hash"])).tensors;
    expect(await hashes(back)).toEqual(await hashes(NETWORK));
  });

  it("isthmus convert writes a graph with the weights inside, which computes what the network computes", async () => {
    const output = join(folder, "network.onnx");
    const { stdout } = await runAlone(["convert", NETWORK, output, "--graph", GRAPH]);
    expect(stdout).toMatch(/^Wrote .*network\.onnx/m);
    const session = await createOnnxRuntimeEngine().load(
      decodeGraph(new Uint8Array(readFileSync(output))).graph,
    );
    const { graph } = await readGraph(GRAPH);
    const network = await openCheckpoint(NETWORK);
    const x = createTensor(
      "f32",
      [2, 1, 28, 28],
      Float32Array.from({ length: 1568 }, (_, i) => (i % 7) / 7),
    );
    const [input = ""] = graph.inputs.map(({ name }) => name);
    const reference = await createOnnxRuntimeEngine().load(
      bakeWeights(graph, await bindWeights(graph, network)),
    );
    const feeds = new Map([[input, { ...x, shape: shapeOf(graph, 2) }]]);
    expect([...(await session.run(feeds)).values()]).toEqual([...(await reference.run(feeds)).values()]);
    await Promise.all([session.release(), reference.release(), network.close()]);
    const other = await runCli(["convert", NETWORK, output]);
    expect(other.stderr).toMatch(/must have the graph that the weights belong to: add --graph model.onnx/);
    const typed = await runCli(["convert", NETWORK, output, "--graph", GRAPH, "--dtype", "f16"]);
    expect(typed.stderr).toMatch(/Cannot write an ONNX file with --dtype/);
  });

  it("isthmus convert changes element types, and writes shards", async () => {
    const output = join(folder, "shards");
    const result = await runJson<{ output: { files: string[] } }>([
      ...["convert", join(FORMATS, "weights.onnx"), output, "--dtype", "bf16", "--max-shard-size", "100B"],
    ]);
    expect(result.output.files.length).toBeGreaterThan(2);
    const { tensors } = await runJson<{ tensors: { name: string; dtype: string }[] }>(["inspect", output]);
    expect(tensors.find(({ name }) => name === "raw")?.dtype).toBe("bf16");
  });

  it("isthmus convert gives adapters the names of other programs, and says what it needs for it", async () => {
    const kohya = pathOf("packages/merging/test/golden/adapters/files/kohya-a.safetensors");
    const peft = join(folder, "renamed");
    const { stdout } = await runCli(["convert", kohya, peft, "--adapter-names", "peft"]);
    expect(stdout).toMatch(/^Wrote .*renamed \(.*, 4 files\)$/m);
    expect(existsSync(join(peft, "unet", "adapter_config.json"))).toBe(true);
    const back = join(folder, "back.safetensors");
    const unet = join(peft, "unet");
    expect(await runCli(["convert", unet, back, "--adapter-names", "kohya"])).toMatchObject({ code: 0 });
    const compared = await runJson<Comparison>(["inspect", kohya, back]);
    // Of 2 modules; each alpha is a vector of 1 there, and a number here.
    expect(compared).toMatchObject({ totals: { compared: 4, different: 0 } });
    const cut = join(folder, "cut.safetensors");
    writeFileSync(cut, readFileSync(kohya).subarray(0, -1));
    for (const [args, message] of [
      [[NETWORK, back, "--adapter-names", "kohya"], /must be an adapter/],
      [[cut, back, "--adapter-names", "kohya"], /may be cut short$/m],
      [[peft, back, "--adapter-names", "kohya"], /its folders? ".*unet".* convert each by itself/],
      [[kohya, back, "--base", NETWORK], /add --adapter-names/],
      [[kohya, back, "--adapter-names", "peft"], /is a folder of weights and settings: name a folder/],
      [[kohya, back, "--adapter-names", "kohya", "--dtype", "q8_0"], /one small file of safetensors/],
    ] as const) {
      expect((await runCli(["convert", ...args])).stderr).toMatch(message);
    }
  });

  it("isthmus convert refuses what contradicts itself, and leaves nothing", async () => {
    const output = join(folder, "no.npz");
    for (const [args, message] of [
      [["--dtype", "q8_0"], /q8_0 is a type of GGUF: the format is npz/],
      [["--max-shard-size", "1MB"], /only safetensors, gguf and tfjs are written in shards/],
      [["--format", "pickle"], /Allowed choices are safetensors, torch, npz, gguf/],
    ] as const) {
      const { code, stderr } = await runCli(["convert", NETWORK, output, ...args]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
    expect(existsSync(output)).toBe(false);
    const foo = join(folder, "c.foo");
    const unknown = await runCli(["convert", NETWORK, foo]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(
      /its ending must be one of \.safetensors, \.pt, .*: it is \.foo; name ".*c\.foo\/"/,
    );
    expect(existsSync(foo)).toBe(false);
    const { stderr } = await runCli(["convert", GRAPH, output]);
    expect(stderr).toMatch(/a checkpoint must hold weights: it is an ONNX graph; give it as the graph/);
  });
});

describe("isthmus inspect", () => {
  it("isthmus inspect --stats and --hash show what is in the tensors", async () => {
    const { stdout } = await runCli(["inspect", join(FORMATS, "quants.gguf"), "--stats"]);
    expect(stdout).toMatch(/^tensor +type +shape +size +min +max +mean +std +norm +zeros +non-finite$/m);
    expect(stdout).toMatch(/^Q4_K +f32 \(Q4_K\) +\[3, 512\] +6\.14 kB +-?[\d.]+ /m);
    const { tensors } = await runJson<{ tensors: { sha256: string; stored?: string }[] }>([
      ...["inspect", join(FORMATS, "weights.onnx"), "--hash"],
    ]);
    expect(tensors[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("isthmus inspect A B says where two checkpoints differ, and how far", async () => {
    const other = pathOf("examples/mnist-mlp/s1.safetensors");
    const { same, tensors } = await runJson<Comparison>(["inspect", NETWORK, other]);
    expect(same).toBe(false);
    expect(tensors.find(({ name }) => name === "layers.1.weight")?.cosine).toBeLessThan(0.5);
    const { stdout } = await runCli(["inspect", NETWORK, join(FORMATS, "zip64.npz")]);
    expect(stdout).toMatch(/^layers\.0\.bias +only in .*s0\.safetensors$/m);
    expect(stdout).toMatch(/^0 tensors compared, 0 differ; 10 in one only; /m);
  });

  it("isthmus inspect shortens long metadata in the text, not in the JSON", async () => {
    const path = join(folder, "long.safetensors");
    const header = Buffer.from(JSON.stringify({ __metadata__: { tokens: "x".repeat(5000) } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, header]));
    expect((await runCli(["inspect", path])).stdout).toContain("x... and 4800 characters more");
    const { metadata } = await runJson<{ metadata: { tokens: string } }>(["inspect", path]);
    expect(metadata.tokens).toHaveLength(5000);
  });

  it("isthmus takes models of the Hugging Face cache by name", async () => {
    const model = join(folder, "hub", "models--me--mlp");
    mkdirSync(join(model, "refs"), { recursive: true });
    mkdirSync(join(model, "snapshots", "abc"), { recursive: true });
    writeFileSync(join(model, "refs", "main"), "abc");
    writeFileSync(join(model, "snapshots", "abc", "model.safetensors"), readFileSync(NETWORK));
    const env = { HF_HUB_CACHE: join(folder, "hub") };
    expect((await runCli(["inspect", "me/mlp"], { env })).stdout).toContain("8 tensors, 932,362 parameters");
    const output = join(folder, "merged.safetensors");
    await runCli(["merge", "me/mlp", "me/mlp@abc", "-o", output], { env });
    expect((await runJson<Comparison>(["inspect", NETWORK, output])).same).toBe(true);
    expect((await runCli(["inspect", "me/other"], { env })).stderr).toMatch(/which holds me\/mlp; download/);
  });
});

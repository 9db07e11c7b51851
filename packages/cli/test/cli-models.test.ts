import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { networkOfConfig, openModel } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

const CONFIG = {
  model_type: "qwen2",
  architectures: ["Qwen2ForCausalLM"],
  vocab_size: 40,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  tie_word_embeddings: true,
};

let folder: string;
let a: string;
let b: string;

/** Writes a model's folder, with a tokenizer. */
async function writeModel(name: string, weights: Parameters<typeof saveCheckpoint>[0], config: object) {
  const path = join(folder, name);
  await mkdir(path);
  await saveCheckpoint(weights, path, { maxShardBytes: 20_000 });
  await writeFile(join(path, "config.json"), JSON.stringify(config));
  await writeFile(join(path, "tokenizer.json"), `{"of":"${name}"}`);
  return path;
}

async function tensorsOf(path: string): Promise<Map<string, Tensor>> {
  const checkpoint = await openCheckpoint(path);
  const tensors = new Map<string, Tensor>();
  for (const name of checkpoint.tensors.keys()) tensors.set(name, await checkpoint.read(name));
  await checkpoint.close();
  return tensors;
}

/** Computes the logits of a model for the first 8 tokens. */
async function logitsOf(path: string): Promise<unknown> {
  const { network, checkpoint } = await openModel(path);
  const session = await createOnnxRuntimeEngine().load(network.graph);
  const ids = createTensor(
    "i64",
    [1, 8],
    BigInt64Array.from({ length: 8 }, (_, i) => BigInt(i)),
  );
  const results = await session.run(
    new Map([...(await bindWeights(network.graph, checkpoint)), ["ids", ids]]),
  );
  await session.release();
  await checkpoint.close();
  return results.get("logits")?.data;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-"));
  const { graph } = networkOfConfig(CONFIG);
  const weights = createCheckpoint(randomWeights(graph, 1));
  const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
  a = await writeModel("a", weights, CONFIG);
  b = await writeModel("b", permute(randomAlignment(spec, 1), weights, spec), CONFIG);
});
afterAll(() => rm(folder, { recursive: true }));

describe("model folders", () => {
  it("isthmus symmetry needs no graph but the config", async () => {
    const { symmetries } = await runJson<{ symmetries: { size: number; parents: unknown[] }[] }>([
      "symmetry",
      a,
    ]);
    expect(symmetries.filter(({ parents }) => parents.length === 0).map(({ size }) => size)).toEqual([
      32, 2, 48, 2, 48,
    ]);
    expect(await runJson(["symmetry", join(a, "config.json")])).toMatchObject({ symmetries });
  });

  it("isthmus align permutes a model back, and writes a model", async () => {
    const output = join(folder, "aligned");
    const { verified, outputs } = await runJson<{ verified: object; outputs: string[] }>([
      "align",
      a,
      b,
      "-o",
      output,
    ]);
    expect(verified).toMatchObject({ passed: true, narrowed: false });
    expect(outputs).toEqual(
      ["model.safetensors", "config.json", "tokenizer.json"].map((name) => join(output, name)),
    );
    expect(await readFile(join(output, "tokenizer.json"), "utf8")).toBe('{"of":"b"}');
    expect(await tensorsOf(output)).toEqual(await tensorsOf(a));
    const { stdout } = await runCli(["align", a, b, "-o", join(folder, "alignment.json")]);
    expect(stdout).toMatch(/^bound .* which no alignment exceeds; .*, 100 %, is reached$/m);
  });

  it("isthmus merge --align gives back what two permuted copies are, with the files of the first", async () => {
    const output = join(folder, "merged");
    const { copied } = await runJson<{ copied: string[] }>(["merge", a, b, "--align", "-o", output]);
    expect(copied).toEqual(["config.json", "tokenizer.json"].map((name) => join(output, name)));
    expect(await readFile(join(output, "tokenizer.json"), "utf8")).toBe('{"of":"a"}');
    expect(await tensorsOf(output)).toEqual(await tensorsOf(a));
    const file = join(folder, "merged.safetensors");
    expect(await runJson(["merge", a, b, "--no-check", "-o", file])).toMatchObject({ copied: [] });
  });

  it("isthmus convert --untie gives the head a copy of the embedding, which frees the residual stream", async () => {
    const tied = await runJson<{ mixing: { fixed: { reason: string }[] } }>(["symmetry", a]);
    expect(tied.mixing.fixed[0]?.reason).toContain("isthmus convert --untie");
    const untied = join(folder, "untied");
    await runJson(["convert", a, untied, "--untie"]);
    const { mixing } = await runJson<{ mixing: { spaces: { group: string }[]; fixed: object[] } }>([
      ...["symmetry", untied, "--verify"],
    ]);
    expect(mixing.spaces.map(({ group }) => group)).toContain("orthogonal");
    expect(mixing.fixed).toEqual([]);
    const logits = await Promise.all([a, untied].map(logitsOf));
    expect(logits[1]).toEqual(logits[0]);
    const again = await runCli(["convert", untied, join(folder, "again"), "--untie"]);
    expect(again.stderr).toContain("as its embedding must be its head");
    const file = await runCli(["convert", a, join(folder, "x.safetensors"), "--untie"]);
    expect(file.stderr).toContain("the output must be a folder");
  });

  it("isthmus convert of a model's folder writes a model, with config and tokenizer", async () => {
    const output = join(folder, "bf16");
    const { output: written } = await runJson<{ output: { files: string[] } }>([
      ...["convert", a, output, "--dtype", "bf16"],
    ]);
    const files = ["model.safetensors", "config.json", "tokenizer.json"].map((name) => join(output, name));
    expect(written.files).toEqual(files);
    expect(JSON.parse(await readFile(join(output, "config.json"), "utf8"))).toMatchObject({
      model_type: CONFIG.model_type,
      torch_dtype: "bfloat16",
    });
    const file = await runJson<{ output: { files: string[] } }>([
      "convert",
      a,
      join(folder, "one.safetensors"),
    ]);
    expect(file.output.files).toHaveLength(1);
  });

  it("isthmus align says what is missing, and does not mix structures that shapes do not tell apart", async () => {
    const file = join(folder, "lone");
    await mkdir(file);
    await saveCheckpoint(createCheckpoint(await tensorsOf(b)), file);
    const heads = await writeModel("heads", createCheckpoint(await tensorsOf(b)), {
      ...CONFIG,
      num_attention_heads: 8,
      num_key_value_heads: 4,
    });
    const theta = await writeModel("theta", createCheckpoint(await tensorsOf(b)), {
      ...CONFIG,
      rope_theta: 5e5,
    });
    const output = join(folder, "x.json");
    for (const [other, message] of [
      [file, /Cannot align as it needs the architecture: give --graph model.onnx, or .*lone" has none/],
      [heads, /must describe networks of one structure/],
    ] as const) {
      const run = await runCli(["align", a, other, "-o", output]);
      expect(run.stderr).toMatch(message);
      expect(run.code).toBe(2);
    }
    expect((await runCli(["merge", a, file, "--align", "-o", join(folder, "x.safetensors")])).stderr).toMatch(
      /Cannot merge with --align/,
    );
    await runJson(["align", a, theta, "-o", output]);
    for (const args of [
      ["align", a, b, "-o", b],
      ["merge", a, b, "-o", b],
      ["merge", a, b, "-o", a],
    ]) {
      expect((await runCli(args)).stderr).toMatch(/config.json" as it must not be a file that is read from/);
    }
    expect(await readFile(join(b, "tokenizer.json"), "utf8")).toBe('{"of":"b"}');
  });
});

// Extracts adapters from a base and its fine-tune by isthmus extract and by mergekit-extract-lora, in one run: what each leaves of the
// change, beside the least that any factors of the rank leave, CPU seconds and memory of each. PEFT loads both.
//
//   npx tsx --conditions=@isthmus/source tools/bench/extract-lora.ts FOLDER --mergekit BIN/mergekit-extract-lora --python PYTHON
//     [--width 768] [--layers 4] [--ranks 8,16,32] [--seed 1]
//
// FOLDER gets the two models, of the architecture of Llama with random weights, 53 million with the defaults. The change of each matrix is
// a product whose singular values fall as 1/k, with noise. Prints one JSON object for each rank and program. Needs GNU time; the
// interpreter has torch, transformers and peft.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createCheckpoint, createRandom, createTensor, saveCheckpoint, type Tensor } from "@isthmus/core";
import { createMatrix, multiply } from "@isthmus/linear-algebra";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mergekit: { type: "string", default: "mergekit-extract-lora" },
    python: { type: "string", default: "python" },
    width: { type: "string", default: "768" },
    layers: { type: "string", default: "4" },
    ranks: { type: "string", default: "8,16,32" },
    seed: { type: "string", default: "1" },
  },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error("usage: extract-lora.ts FOLDER [options]");
  process.exit(2);
}
const [width, layers] = [Number(values.width), Number(values.layers)];
const inner = Math.round((8 * width) / 3 / 64) * 64;
const vocabulary = 32000;
/** Rank of the changes, beside their noise. */
const RANK = 64;

const config = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: width,
  intermediate_size: inner,
  num_hidden_layers: layers,
  num_attention_heads: width / 64,
  num_key_value_heads: width / 64,
  vocab_size: vocabulary,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  torch_dtype: "float32",
};

const random = createRandom(Number(values.seed));

function normals(count: number, deviation: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = deviation * random.normal();
  return data;
}

/** Adds a product whose singular values fall about as 1/k, and noise. */
function tune(base: Float32Array, [rows, columns]: readonly [number, number]): Float32Array<ArrayBuffer> {
  const left = createMatrix(rows, RANK, normals(rows * RANK, 1 / Math.sqrt(rows)));
  const right = createMatrix(RANK, columns, normals(RANK * columns, 1 / Math.sqrt(columns)));
  const scaled = left.data.map((x, i) => x / (1 + (i % RANK)));
  const change = multiply(createMatrix(rows, RANK, scaled as Float32Array), right).data;
  const noise = normals(base.length, 1e-4);
  return Float32Array.from(base, (x, i) => x + Number(change[i]) + Number(noise[i]));
}

async function writeModels(): Promise<void> {
  const models: Record<"base" | "tuned", Record<string, Tensor>> = { base: {}, tuned: {} };
  const put = (name: string, shape: readonly number[], base: Float32Array, tuned: Float32Array) => {
    models.base[name] = createTensor("f32", shape, base);
    models.tuned[name] = createTensor("f32", shape, tuned);
  };
  const ones = new Float32Array(width).fill(1);
  const embedding = normals(vocabulary * width, 0.02);
  put("model.embed_tokens.weight", [vocabulary, width], embedding, embedding);
  put("model.norm.weight", [width], ones, ones);
  for (let layer = 0; layer < layers; layer++) {
    const place = `model.layers.${layer}`;
    for (const norm of ["input_layernorm", "post_attention_layernorm"])
      put(`${place}.${norm}.weight`, [width], ones, ones);
    const shapes: readonly (readonly [string, readonly [number, number]])[] = [
      ...["q_proj", "k_proj", "v_proj", "o_proj"].map(
        (name) => [`self_attn.${name}`, [width, width]] as const,
      ),
      ["mlp.gate_proj", [inner, width]],
      ["mlp.up_proj", [inner, width]],
      ["mlp.down_proj", [width, inner]],
    ];
    for (const [name, shape] of shapes) {
      const base = normals(shape[0] * shape[1], 0.02);
      put(`${place}.${name}.weight`, shape, base, tune(base, shape));
    }
  }
  for (const [name, tensors] of Object.entries(models)) {
    const place = join(String(folder), name);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "config.json"), JSON.stringify(config));
    await saveCheckpoint(createCheckpoint(tensors), join(place, "model.safetensors"), {
      overwrite: true,
      metadata: { format: "pt" },
    });
  }
}

/** Runs a program under GNU time. */
function timed(
  program: string,
  words: readonly string[],
): { cpuSeconds: number; seconds: number; megabytes: number } {
  const { status, stderr } = spawnSync("/usr/bin/time", ["-f", "%U %S %e %M", program, ...words], {
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.slice(-2000)}`);
  const [user = 0, system = 0, seconds = 0, kilobytes = 0] = (stderr.trim().split("\n").at(-1) ?? "")
    .split(" ")
    .map(Number);
  return { cpuSeconds: user + system, seconds, megabytes: Math.round(kilobytes / 1024) };
}

const at = (name: string) => join(folder, name);
if (!existsSync(at("tuned/model.safetensors"))) await writeModels();
const command = fileURLToPath(new URL("../../packages/isthmus/bin/isthmus.js", import.meta.url));
const judge = fileURLToPath(new URL("extract-lora.py", import.meta.url));
const costs: { readonly program: string; readonly rank: number; readonly adapter: string }[] = [];
for (const rank of values.ranks.split(",")) {
  const [ours, peers] = [at(`isthmus-${rank}`), at(`mergekit-${rank}`)];
  const words = ["extract", at("base"), at("tuned"), "-o", ours, "--rank", rank, "--quiet"];
  costs.push({
    program: "isthmus",
    rank: Number(rank),
    adapter: ours,
    ...timed(process.execPath, [command, ...words]),
  });
  const options = [
    ...["--model", at("tuned"), "--base-model", at("base"), "--out-path", peers],
    ...["--max-rank", rank, "--skip-undecomposable", "-e", "embed_tokens|lm_head"],
  ];
  costs.push({ program: "mergekit", rank: Number(rank), adapter: peers, ...timed(values.mergekit, options) });
}
const adapters = costs.map(({ rank, adapter }) => `${rank}=${adapter}`);
const judged = execFileSync(values.python, [judge, at("base"), at("tuned"), ...adapters], {
  encoding: "utf8",
});
const lines = judged.split("\n").filter((line) => line.startsWith("{"));
for (const [i, { adapter, ...cost }] of costs.entries())
  console.log(JSON.stringify({ ...cost, ...JSON.parse(lines[i] ?? "{}"), adapter: undefined }));

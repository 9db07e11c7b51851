// Writes a Llama of random weights as a model folder (config.json, model.safetensors), for measurements at size; the same arguments
// give the same bytes. Weights are made as they are written, so that memory does not grow with the model.
//
//   npx tsx --conditions=@isthmus/source tools/make-synthetic-llama.ts OUT [--layers 16] [--width 2048] [--heads 32] [--groups 8]
//     [--hidden 8192] [--vocabulary 128256] [--untied] [--dtype bf16] [--seed 1] [--shard-gb 1000]
//
// The defaults are the shapes of Llama 3.2 1B.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  allocateData,
  DTYPES,
  defineCheckpoint,
  fromFloat64Into,
  isDType,
  saveCheckpoint,
} from "@isthmus/core";
import { networkOfConfig } from "@isthmus/zoo";

/** Different numbers there are, a power of 2. */
const TABLE = 2 ** 16;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: "string", default: "16" },
    width: { type: "string", default: "2048" },
    heads: { type: "string", default: "32" },
    groups: { type: "string", default: "8" },
    hidden: { type: "string", default: "8192" },
    vocabulary: { type: "string", default: "128256" },
    untied: { type: "boolean", default: false },
    dtype: { type: "string", default: "bf16" },
    seed: { type: "string", default: "1" },
    "shard-gb": { type: "string", default: "1000" },
  },
});
const [folder] = positionals;
const { dtype } = values;
if (folder === undefined || !isDType(dtype) || !DTYPES[dtype].float) {
  console.error(
    "usage: make-synthetic-llama.ts OUT [--layers 16] [--width 2048] ...; see the head of the file",
  );
  process.exit(2);
}

const config = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_act: "silu",
  hidden_size: Number(values.width),
  intermediate_size: Number(values.hidden),
  num_attention_heads: Number(values.heads),
  num_hidden_layers: Number(values.layers),
  num_key_value_heads: Number(values.groups),
  max_position_embeddings: 131072,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  tie_word_embeddings: !values.untied,
  torch_dtype: dtype === "bf16" ? "bfloat16" : dtype === "f16" ? "float16" : "float32",
  vocab_size: Number(values.vocabulary),
};
const { graph, parameters } = networkOfConfig(config);

/** Normal numbers, by the method of Box and Muller over a fixed grid. */
function normalTable(mean: number, deviation: number) {
  const numbers = Float64Array.from({ length: TABLE }, (_, i) => {
    const u = ((i & 255) + 0.5) / 256;
    const v = ((i >> 8) + 0.5) / 256;
    return mean + deviation * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  });
  return fromFloat64Into(numbers, dtype as "bf16", allocateData(dtype as "bf16", TABLE));
}

/** A hash of a counter: Murmur's finalizer. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const matrix = normalTable(0, 0.02);
const scale = normalTable(1, 0.1);
const keys = new Map(
  [...graph.weights.keys()].map((name, i) => [name, mix(Number(values.seed) * 100_003 + i)]),
);

const model = defineCheckpoint({
  source: "random weights",
  tensors: new Map([...graph.weights].map(([name, { shape }]) => [name, { dtype, shape }])),
  metadata: { format: "pt" },
  async readInto(name, begin, out) {
    const key = keys.get(name) ?? 0;
    const table = graph.weights.get(name)?.shape.length === 1 ? scale : matrix;
    // Hashed twice, so that the numbers of one tensor are not those of another further on.
    for (let i = 0; i < out.length; i++)
      out[i] = table[mix(mix((begin + i) | 0) ^ key) & (TABLE - 1)] as never;
  },
});

await mkdir(folder, { recursive: true });
const { bytes, files } = await saveCheckpoint(model, folder, {
  overwrite: true,
  maxShardBytes: Number(values["shard-gb"]) * 1e9,
});
await writeFile(join(folder, "config.json"), `${JSON.stringify(config, undefined, 2)}\n`);
const peak = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  JSON.stringify({ folder, parameters, bytes, files: files.length, seed: Number(values.seed), peakMB: peak }),
);

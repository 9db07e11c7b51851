import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCheckpoint, createRandom, createTensor, saveCheckpoint } from "@isthmus/core";
import { encodeGraph, randomWeights } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { networkOfConfig, parseNetwork } from "@isthmus/zoo";
import { saveDense } from "../../packages/mixtures/test/dense-models.ts";
import { randomExamples } from "../../test/helpers/random-examples.ts";
import { saveExamples } from "../../test/helpers/save-examples.ts";

const LLAMA = {
  ...{ model_type: "llama", architectures: ["LlamaForCausalLM"], vocab_size: 40, hidden_size: 16 },
  ...{ intermediate_size: 24, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1 },
  max_position_embeddings: 8,
};
const MIXTRAL = {
  ...{ ...LLAMA, model_type: "mixtral", architectures: ["MixtralForCausalLM"] },
  ...{ num_local_experts: 3, num_experts_per_tok: 2 },
};

/** Writes the small networks, data and recipes that the commands read. */
export async function writeInputs(folder: string): Promise<void> {
  const write = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, name), text);
  const images = randomExamples([1, 8, 8], { size: 60, classes: 4 });
  await saveExamples(images, join(folder, "data.safetensors"));
  const { graph, initialize } = parseNetwork("mlp:64", images);
  write("graph.onnx", encodeGraph(graph));
  for (const [seed, name] of ["a", "b", "c"].entries()) {
    const network = seed === 0 ? initialize(0) : lerp(initialize(0), initialize(seed), 0.3);
    await saveCheckpoint(network, join(folder, `${name}.safetensors`));
  }
  const models =
    "models: [{ model: b.safetensors }, { model: c.safetensors }]\nparameters: { weight: 0.5 }\n";
  write("recipe.yml", `merge_method: task_arithmetic\nbase_model: a.safetensors\n${models}`);
  write(
    "search.yml",
    "merge_method: linear\nmodels:\n  - { model: a.safetensors, parameters: { weight: 1 } }\n  - { model: b.safetensors, parameters: { weight: { search: [0, 1] } } }\n",
  );
  await writeModels(folder, write);
  write("study.yml", STUDY);
  write("simulation.yml", SIMULATION);
  write("federation.yml", "network: a.safetensors\nrounds: 1\nquorum: 1\n");
}

async function writeModels(
  folder: string,
  write: (name: string, text: string | Uint8Array) => void,
): Promise<void> {
  for (const [seed, [name, config]] of Object.entries({
    ...{ "llama-m": LLAMA, "llama-a": LLAMA, "llama-b": LLAMA },
    mixture: MIXTRAL,
  }).entries()) {
    const weights = createCheckpoint(randomWeights(networkOfConfig(config).graph, seed));
    await saveCheckpoint(weights, join(folder, `${name}/model.safetensors`));
    write(`${name}/config.json`, JSON.stringify(config));
  }
  for (const [seed, name] of ["a", "b"].entries()) {
    const ids = Uint16Array.from({ length: 200 }, (_, i) => (i * i * (seed + 2) + i) % 40);
    write(`${name}.bin`, new Uint8Array(ids.buffer));
    await saveDense(join(folder, `dense-${name}`), { seed });
    await writeWords(join(folder, `words-${name}`), 40 * seed);
  }
  const experts =
    "experts:\n  - { source_model: dense-a, positive_prompts: [abc] }\n  - { source_model: dense-b, positive_prompts: [kl] }\n";
  write("moe.yml", `base_model: dense-a\ngate_mode: hidden\n${experts}`);
}

/** Writes a model of word embeddings with its tokenizer. */
async function writeWords(folder: string, first: number): Promise<void> {
  const [count, width] = [120, 16];
  const random = createRandom(first, "rows");
  const data = Float32Array.from({ length: count * width }, () => random.normal());
  mkdirSync(folder);
  const tensors = { "model.embed_tokens.weight": createTensor("f32", [count, width], data) };
  await saveCheckpoint(createCheckpoint(tensors), `${folder}/`);
  const vocab = Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${first + i}`, i]));
  const model = { type: "WordLevel", vocab, unk_token: `t${first}` };
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify({ added_tokens: [], model }));
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ vocab_size: count, tie_word_embeddings: true }),
  );
}

const STUDY = `title: Small
description: Barriers between small networks
networks:
  mlps:
    for: { seed: "0..1" }
    net: mlp:16
    data: mnist:test@200
    seed: \${seed}
    epochs: 1
measurements:
  barrier: { kind: barrier, between: mlps, align: weight, data: mnist:test@100, points: 3 }
tables: {}
`;
const SIMULATION = `title: Small
description: Two clients
federation:
  net: mlp:16
  data: mnist:test@200
  evaluate: mnist:test@100
  clients: 2
  rounds: 2
  client: { epochs: 1, batch: 32, schedule: { kind: constant, learningRate: 0.1 } }
partitions:
  dirichlet 0.5: { name: dirichlet, alpha: 0.5 }
strategies:
  fedavg: {}
seeds: 0..0
`;

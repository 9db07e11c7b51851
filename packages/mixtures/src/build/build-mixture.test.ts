import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { openModel } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DENSE, saveDense } from "../../test/dense-models.ts";
import { buildMixture, planMixtureRecipe } from "./build-mixture.ts";
import type { BuildMixtureOptions } from "./build-mixture-options.ts";
import { parseMixtureRecipe } from "./read-mixture-recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-mixtures-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const engine = createOnnxRuntimeEngine();

const FAMILIES = {
  llama: {},
  mistral: { model_type: "mistral", architectures: ["MistralForCausalLM"], sliding_window: 3 },
  qwen2: { model_type: "qwen2", architectures: ["Qwen2ForCausalLM"], hidden_act: "gelu" },
  qwen3: { model_type: "qwen3", architectures: ["Qwen3ForCausalLM"], head_dim: 6 },
};

beforeAll(async () => {
  for (const [family, config] of Object.entries(FAMILIES))
    for (const [seed, name] of ["base", "a", "b"].entries())
      await saveDense(path(`${family}/${name}`), { config, seed });
});

const recipeOf = (family: string, lines = "") =>
  parseMixtureRecipe(
    `base_model: ${path(family)}/base
gate_mode: cheap_embed
experts:
  - source_model: ${path(family)}/a
    positive_prompts: [abc, "a"]
    residual_scale: 0.5
  - source_model: ${path(family)}/b
    positive_prompts: [kl]
    negative_prompts: [b]
${lines}`,
  );

const build = (name: string, read = recipeOf("llama"), options: BuildMixtureOptions = {}) =>
  buildMixture(read, path(name), { overwrite: true, ...options });

/** What a model computes of some tokens. */
async function logitsOf(name: string): Promise<Float32Array> {
  const { network, checkpoint } = await openModel(path(name));
  const { graph } = network.ofLength(8);
  const feeds = new Map<string, Tensor>();
  for (const weight of graph.weights.keys()) feeds.set(weight, await checkpoint.read(weight));
  const data = BigInt64Array.from({ length: 8 }, (_, i) => BigInt((5 * i + 1) % 12));
  feeds.set(graph.inputs[0]?.name ?? "", { dtype: "i64", shape: [1, 8], data });
  const session = await engine.load(graph);
  const outputs = await session.run(feeds);
  await session.release();
  await checkpoint.close();
  return outputs.get("logits")?.data as Float32Array;
}

describe("buildMixture", () => {
  // Weights of chosen experts sum to 1, so that equal experts compute what each does alone.
  it.each([
    ["llama", "", "mixtral"],
    ["mistral", "", "mixtral"],
    ["llama", "architecture: deepseek", "deepseek"],
    ["qwen2", "", "qwen2_moe"],
    ["qwen3", "", "qwen3_moe"],
  ] as const)("of copies of a %s computes what that does, with '%s' as %s", async (family, lines, type) => {
    const base = `source_model: ${path(family)}/base`;
    const experts = `gate_mode: random\nexperts_per_token: 2\nexperts: [{ ${base} }, { ${base} }, { ${base} }]\n`;
    const read = parseMixtureRecipe(`base_model: ${path(family)}/base\n${experts}${lines}`);
    const name = `copies/${family}${type}`;
    mkdirSync(path("copies"), { recursive: true });
    await build(name, read, { seed: 1 });
    expect(JSON.parse(readFileSync(path(`${name}/config.json`), "utf8")).model_type).toBe(type);
    const [ours, wanted] = [await logitsOf(name), await logitsOf(`${family}/base`)];
    for (const [i, value] of wanted.entries()) expect(ours[i]).toBeCloseTo(value, 5);
  });

  it("states what the base leaves to the defaults of its family", async () => {
    await saveDense(path("terse/base"), { config: { model_type: "mistral" }, seed: 0 });
    const file = path("terse/base/config.json");
    const { rms_norm_eps: _, rope_theta: __, ...terse } = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify(terse));
    const expert = `{ source_model: ${path("terse")}/base }`;
    await build(
      "terse/made",
      parseMixtureRecipe(
        `base_model: ${path("terse")}/base\ngate_mode: random\nexperts: [${expert}, ${expert}]`,
      ),
    );
    // MistralConfig of transformers 5.24.0.
    expect(JSON.parse(readFileSync(path("terse/made/config.json"), "utf8"))).toMatchObject({
      model_type: "mixtral",
      sliding_window: 4096,
      rms_norm_eps: 1e-6,
      rope_theta: 10_000,
    });
  });

  it("takes experts, their factors and the rest from where the recipe says", async () => {
    const { layout, tensors, bytesRead, bytesWritten, modelFiles } = await build("made");
    expect([layout, tensors, bytesRead]).toEqual(["Mixtral", 3 + 2 * (2 + 4 + 6 + 1), bytesWritten]);
    expect(modelFiles).toEqual(["README.md", "config.json", "recipe.yml", "vocab.json"]);
    const [made, base, a] = await Promise.all(
      ["made", "llama/base", "llama/a"].map((one) => openCheckpoint(path(one))),
    );
    const numbers = async (network: typeof made, name: string) =>
      [...((await network?.read(name))?.data ?? [])].map(Number);
    const experts = "model.layers.1.block_sparse_moe.experts";
    const mlp = "model.layers.1.mlp";
    expect(await numbers(made, `${experts}.0.w1.weight`)).toEqual(
      await numbers(a, `${mlp}.gate_proj.weight`),
    );
    expect(await numbers(made, `${experts}.0.w3.weight`)).toEqual(await numbers(a, `${mlp}.up_proj.weight`));
    const down = await numbers(a, `${mlp}.down_proj.weight`);
    expect(await numbers(made, `${experts}.0.w2.weight`)).toEqual(down.map((value) => value / 2));
    expect(await numbers(made, "lm_head.weight")).toEqual(await numbers(base, "lm_head.weight"));
    expect([...(made?.tensors.keys() ?? [])].filter((name) => name.includes(".mlp."))).toEqual([]);
    for (const network of [made, base, a]) await network?.close();
  });

  it.each([
    ["llama", "DeepSeek MoE", { first_k_dense_replace: 1 }],
    ["qwen3", "Qwen3 MoE", { mlp_only_layers: [0] }],
  ] as const)("keeps first layers as they are in the base: %s", async (family, layout, fields) => {
    const name = `dense-${family}`;
    const base = `${path(family)}/base`;
    const expert = `{ source_model: ${base} }`;
    const same = parseMixtureRecipe(
      `base_model: ${base}\ngate_mode: random\ndense_layers: 1\nexperts: [${expert}, ${expert}]`,
    );
    const made = await build(name, same, { forTraining: true });
    expect(made.layout).toBe(layout);
    expect(JSON.parse(readFileSync(join(path(name), "config.json"), "utf8"))).toMatchObject(fields);
    const { tensors, close } = await openCheckpoint(path(name));
    const ofMixture = [...tensors.keys()].filter((tensor) => /gate\.weight|experts/.test(tensor));
    expect(ofMixture.map((tensor) => tensor.split(".")[2])).toEqual(Array(7).fill("1"));
    await close();
    const [ours, wanted] = [await logitsOf(name), await logitsOf(`${family}/base`)];
    for (const [i, value] of wanted.entries()) expect(ours[i]).toBeCloseTo(value, 5);
  });

  it("gates a shared expert, and gives layouts with biases zeros", async () => {
    const shared = `architecture: qwen\nshared_experts: [{ source_model: ${path("llama/base")}, positive_prompts: [e] }]`;
    const { layout, shared: hasShared } = await build("shared", recipeOf("llama", shared));
    expect([layout, hasShared]).toEqual(["Qwen MoE", true]);
    const made = await openCheckpoint(path("shared"));
    expect(made.tensors.get("model.layers.0.mlp.shared_expert_gate.weight")?.shape).toEqual([1, 8]);
    const { data } = await made.read("model.layers.0.self_attn.k_proj.bias");
    expect([...data].every((value) => Number(value) === 0)).toBe(true);
    await made.close();
  });

  it("adds noise that follows the seed", async () => {
    const noisy = recipeOf(
      "llama",
      `  - { source_model: ${path("llama/a")}, noise_scale: 0.5, positive_prompts: [g] }`,
    );
    const read = async (name: string, seed: number) => {
      await build(name, noisy, { seed });
      const made = await openCheckpoint(path(name));
      const { data } = await made.read("model.layers.0.block_sparse_moe.experts.2.w1.weight");
      await made.close();
      return [...data].map(Number);
    };
    const first = await read("noisy", 1);
    expect(await read("noisy-again", 1)).toEqual(first);
    expect(await read("noisy-other", 2)).not.toEqual(first);
    const dense = await openCheckpoint(path("llama/a"));
    const before = [...(await dense.read("model.layers.0.mlp.gate_proj.weight")).data].map(Number);
    await dense.close();
    const deviation = Math.sqrt(
      first.reduce((sum, value, i) => sum + (value - (before[i] ?? 0)) ** 2, 0) / first.length,
    );
    // Of 96 draws the deviation lies within a third of 0.5, but for one seed in a thousand.
    expect(Math.abs(deviation - 0.5)).toBeLessThan(0.17);
  });

  it("goes on where it was stopped, with the gates that it had, and makes the same bytes", async () => {
    const hidden = recipeOf("llama", "").text.replace("cheap_embed", "hidden");
    const read = () => parseMixtureRecipe(hidden);
    let runs = 0;
    const counting = {
      ...engine,
      load: (...args: Parameters<typeof engine.load>) => {
        runs++;
        return engine.load(...args);
      },
    };
    await build("whole", read(), { engine: counting });
    expect(runs).toBeGreaterThan(0);
    const stop = new AbortController();
    const stopped = build("stopped", read(), {
      engine,
      signal: stop.signal,
      onProgress: ({ phase }) => phase === "writing" && stop.abort(),
    });
    await expect(stopped).rejects.toThrow();
    expect(existsSync(path("stopped/model.safetensors"))).toBe(false);
    expect(readdirSync(path("stopped")).some((name) => name.startsWith(".moe-gates-"))).toBe(true);
    runs = 0;
    await build("stopped", read(), { engine: counting });
    expect(runs).toBe(0);
    expect(
      readFileSync(path("stopped/model.safetensors")).equals(readFileSync(path("whole/model.safetensors"))),
    ).toBe(true);
    expect(readdirSync(path("stopped")).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("plans without reading weights, and says what each tensor comes from", async () => {
    const { plan, layers, experts } = await planMixtureRecipe(recipeOf("qwen3"));
    expect([layers, experts, plan.tensors.size]).toEqual([2, 2, 3 + 2 * (2 + 6 + 6 + 1)]);
    expect(plan.tensors.get("model.layers.1.mlp.experts.1.up_proj.weight")?.reason).toBe(
      "up_proj of expert 1 (recipe:7: experts[1])",
    );
    expect(plan.tensors.get("model.layers.1.mlp.gate.weight")?.reason).toBe("gates by the mode cheap_embed");
  });
});

it("notes an adapter that says that it was made for another model", async () => {
  const lora = path("llama/lora");
  const module = "base_model.model.model.layers.0.mlp.up_proj";
  await saveCheckpoint(
    createCheckpoint({
      [`${module}.lora_A.weight`]: createTensor("f32", [1, 8], new Float32Array(8).fill(1)),
      [`${module}.lora_B.weight`]: createTensor("f32", [12, 1], new Float32Array(12).fill(1)),
    }),
    join(lora, "adapter_model.safetensors"),
  );
  const notesFor = async (base: string) => {
    const settings = { peft_type: "LORA", r: 1, lora_alpha: 1, base_model_name_or_path: base };
    writeFileSync(join(lora, "adapter_config.json"), JSON.stringify(settings));
    const notes: string[] = [];
    const read = parseMixtureRecipe(
      `{base_model: ${path("llama/a")}, gate_mode: random, experts: [{source_model: ${path("llama/a")}+${lora}}, {source_model: ${path("llama/b")}}]}`,
    );
    await planMixtureRecipe(read, { onNote: (note) => notes.push(note) });
    return notes;
  };
  expect(await notesFor("elsewhere/a")).toEqual([]);
  expect(await notesFor("qwen2-0")).toEqual([
    expect.stringMatching(
      /^the adapter ".*lora" says that it was made for "qwen2-0": it changes ".*a"; ignore/,
    ),
  ]);
});

it.each([
  ["deepseek", 1, /DeepSeek MoE does not normalise the share of an expert/],
  ["deepseek", 2, /^$/],
  ["mixtral", 1, /^$/],
])(
  "notes layouts whose only expert does not count whole: %s, %d for each token",
  async (layout, active, note) => {
    const notes: string[] = [];
    const lines = `architecture: ${layout}\nexperts_per_token: ${active}`;
    await planMixtureRecipe(recipeOf("llama", lines), { onNote: (one) => notes.push(one) });
    expect(notes.join("\n")).toMatch(note);
  },
);

it("notes gates that are nearly alike", async () => {
  const notes: string[] = [];
  const alike = recipeOf("llama").text.replace("[kl]", "[abca]").replace("    negative_prompts: [b]\n", "");
  await build("alike", parseMixtureRecipe(alike), { onNote: (note) => notes.push(note) });
  expect(notes).toEqual([expect.stringMatching(/gates of all layers are nearly alike/)]);
});

it("leaves no folder behind if gates cannot be made", async () => {
  const hidden = recipeOf("llama").text.replace("cheap_embed", "hidden");
  await expect(build("nothing", parseMixtureRecipe(hidden))).rejects.toThrow(/an engine must be given/);
  expect(existsSync(path("nothing"))).toBe(false);
});

it("keeps an embedding that is the head, and writes the type that is asked for", async () => {
  for (const [seed, name] of ["base", "a", "b"].entries())
    await saveDense(path(`tied/${name}`), { config: { tie_word_embeddings: true }, seed });
  await build("tied-mixture", recipeOf("tied", "dtype: float16"));
  const made = await openCheckpoint(path("tied-mixture"));
  expect(made.tensors.has("lm_head.weight")).toBe(false);
  expect(new Set([...made.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["f16"]));
  await made.close();
  const config = JSON.parse(readFileSync(path("tied-mixture/config.json"), "utf8"));
  expect([config.tie_word_embeddings, config.torch_dtype]).toEqual([true, "float16"]);
});

describe("models that do not fit", () => {
  const other = async (name: string, files: Parameters<typeof saveDense>[1]) => {
    await saveDense(path(name), files);
    return recipeOf("llama", `  - { source_model: ${path(name)}, positive_prompts: [g] }`);
  };
  it.each([
    [
      "narrow",
      { config: { hidden_size: 4 } },
      /its units of the stream: 4 is not 8 \(recipe:10: "experts\[2\]/,
    ],
    ["long", { config: { num_hidden_layers: 3 } }, /its layers: 3 is not 2/],
    ["gelu", { config: { hidden_act: "gelu" } }, /its activation: gelu is not silu/],
    [
      "swapped",
      { characters: "bacdefghijkl" },
      /the token "a" has the id 0 in the base, and it has the id 1 there/,
    ],
    ["biased", { config: { mlp_bias: true } }, /must have no biases/],
    [
      "gemma",
      { config: { model_type: "gemma", head_dim: 4 } },
      /"gemma" has norms whose weights count from 1/,
    ],
    [
      "gpt",
      { config: { model_type: "gpt_neox", rotary_pct: 0.5, layer_norm_eps: 1e-5 } },
      /dense model of Llama's form/,
    ],
  ] as const)("are refused by name: %s", async (name, files, why) => {
    await expect(build("refused", await other(name, files))).rejects.toThrow(why);
    expect(existsSync(path("refused"))).toBe(false);
  });

  it("says of each layout what it lacks", async () => {
    await expect(build("refused", recipeOf("qwen3", "architecture: qwen moe"))).rejects.toThrow(
      /Qwen MoE has no norms of the queries and keys of each head, and has one shared expert/,
    );
    await expect(build("refused", recipeOf("llama", "architecture: dbrx"))).rejects.toThrow(
      /there are Mixtral, DeepSeek MoE, Qwen MoE, Qwen3 MoE/,
    );
    await expect(
      build("refused", recipeOf("llama", "architecture: mixtral\ndense_layers: 1")),
    ).rejects.toThrow(/Mixtral has experts in all layers/);
    await expect(build("refused", recipeOf("llama", "dense_layers: 2"))).rejects.toThrow(
      /"dense_layers" must be less than its 2 layers: it is 2/,
    );
    const shared = `shared_experts: [{ source_model: ${path("qwen3/base")} }]`;
    await expect(build("refused", recipeOf("qwen3", shared))).rejects.toThrow(
      /Qwen3 MoE has no shared experts/,
    );
  });

  it("refuses a config that claims what its weights do not hold", async () => {
    for (const [field, value, why] of [
      ["num_hidden_layers", 1e9, /claims 1000000000/],
      ["num_hidden_layers", 1, /claims 1,/],
      ["num_attention_heads", 3, /must be a divisor of 8/],
      ["hidden_act", 7, /"hidden_act" of its config.json must be a text/],
      ["model_type", undefined, /"model_type"/],
    ] as const) {
      await saveDense(path("false"), {});
      writeFileSync(path("false/config.json"), JSON.stringify({ ...DENSE, [field]: value }));
      const read = recipeOf("llama", `  - { source_model: ${path("false")}, positive_prompts: [g] }`);
      await expect(build("refused", read)).rejects.toThrow(why);
    }
  });

  it("refuses copies of one model unless they are trained, and a place that is a model", async () => {
    const same = recipeOf("llama").text.replaceAll("/b\n", "/a\n");
    await expect(build("refused", parseMixtureRecipe(same))).rejects.toThrow(
      /must differ: all 2 are that model/,
    );
    await build("for-training", parseMixtureRecipe(same), { forTraining: true });
    await expect(build("llama/a", recipeOf("llama"))).rejects.toThrow(/must not be a file that is read from/);
    await expect(build("x.safetensors")).rejects.toThrow(/name a folder/);
  });
});

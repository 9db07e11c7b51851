import type { TensorInfo } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { networkOfConfig } from "./network-of-config.ts";

const LLAMA = {
  model_type: "llama",
  vocab_size: 11,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 4,
};

const tensorsOf = (config: object): ReadonlyMap<string, TensorInfo> => networkOfConfig(config).graph.weights;

describe("networkOfConfig()", () => {
  // Fields as in the configs that are published with the models, and their numbers of parameters.
  test.each([
    [
      "Llama 3.2 1B",
      1_235_814_400,
      {
        model_type: "llama",
        architectures: ["LlamaForCausalLM"],
        head_dim: 64,
        hidden_size: 2048,
        intermediate_size: 8192,
        num_attention_heads: 32,
        num_hidden_layers: 16,
        num_key_value_heads: 8,
        rms_norm_eps: 1e-5,
        rope_scaling: {
          factor: 32,
          high_freq_factor: 4,
          low_freq_factor: 1,
          original_max_position_embeddings: 8192,
          rope_type: "llama3",
        },
        rope_theta: 500000,
        tie_word_embeddings: true,
        vocab_size: 128256,
      },
    ],
    [
      "Mistral 7B",
      7_241_732_096,
      {
        model_type: "mistral",
        architectures: ["MistralForCausalLM"],
        hidden_act: "silu",
        hidden_size: 4096,
        intermediate_size: 14336,
        num_attention_heads: 32,
        num_hidden_layers: 32,
        num_key_value_heads: 8,
        rope_theta: 10000,
        sliding_window: 4096,
        tie_word_embeddings: false,
        vocab_size: 32000,
      },
    ],
    [
      "Qwen2 0.5B",
      494_032_768,
      {
        model_type: "qwen2",
        architectures: ["Qwen2ForCausalLM"],
        hidden_size: 896,
        intermediate_size: 4864,
        max_window_layers: 24,
        num_attention_heads: 14,
        num_hidden_layers: 24,
        num_key_value_heads: 2,
        rope_theta: 1000000,
        sliding_window: 131072,
        tie_word_embeddings: true,
        use_sliding_window: false,
        vocab_size: 151936,
      },
    ],
    [
      "Pythia 160M",
      162_322_944,
      {
        model_type: "gpt_neox",
        architectures: ["GPTNeoXForCausalLM"],
        hidden_size: 768,
        intermediate_size: 3072,
        num_attention_heads: 12,
        num_hidden_layers: 12,
        rotary_emb_base: 10000,
        rotary_pct: 0.25,
        tie_word_embeddings: false,
        use_parallel_residual: true,
        vocab_size: 50304,
      },
    ],
    [
      "BERT base",
      109_514_298,
      {
        model_type: "bert",
        architectures: ["BertForMaskedLM"],
        hidden_size: 768,
        intermediate_size: 3072,
        max_position_embeddings: 512,
        num_attention_heads: 12,
        num_hidden_layers: 12,
        type_vocab_size: 2,
        vocab_size: 30522,
      },
    ],
    [
      "ViT-B/16",
      86_567_656,
      {
        model_type: "vit",
        architectures: ["ViTForImageClassification"],
        hidden_size: 768,
        image_size: 224,
        intermediate_size: 3072,
        num_attention_heads: 12,
        num_channels: 3,
        num_hidden_layers: 12,
        num_labels: 1000,
        patch_size: 16,
      },
    ],
  ])("networkOfConfig() has the parameters of the published %s", (_, parameters, config) => {
    const network = networkOfConfig(config);
    expect(network.parameters).toBe(parameters);
    expect(network.narrow().parameters).toBeLessThan(2e7);
  });

  test.each([
    [undefined, /a model's config must be a JSON object$/],
    [[], /a model's config must be a JSON object$/],
    [
      {},
      /"model_type" must be one of llama, mistral, .*vit: it is missing; for others export an ONNX graph$/,
    ],
    [{ model_type: "t5" }, /"model_type" must be one of .*: it is "t5"/],
    [
      { ...LLAMA, hidden_size: undefined },
      /"hidden_size" must be a whole number from 1 to 268435456: it is missing$/,
    ],
    [{ ...LLAMA, vocab_size: "11" }, /"vocab_size" must be a whole number from 1 to 268435456: it is "11"$/],
    [
      { ...LLAMA, num_hidden_layers: 2 ** 40 },
      /"num_hidden_layers" must be a whole number from 1 to 1024: it is 1099511627776$/,
    ],
    [
      { ...LLAMA, vocab_size: 2 ** 40 },
      /"vocab_size" must be a whole number from 1 to 268435456: it is 1099511627776$/,
    ],
    [
      { ...LLAMA, num_attention_heads: 3 },
      /"num_attention_heads" must divide "hidden_size": 3 does not divide 16$/,
    ],
    [{ ...LLAMA, num_key_value_heads: 3 }, /"num_key_value_heads" must divide "num_attention_heads"/],
    [{ ...LLAMA, hidden_act: "mish" }, /"hidden_act" must be one of gelu, .*: it is "mish"$/],
    [
      { ...LLAMA, rope_scaling: { type: "yarn", factor: 2 } },
      /must be scaled by default, linear or llama3: they are by yarn$/,
    ],
    [{ ...LLAMA, quantization_config: {} }, /it has a "quantization_config"$/],
    [{ ...LLAMA, mlp_bias: "no" }, /"mlp_bias" must be true or false: it is "no"$/],
    [
      { model_type: "vit", hidden_size: 8, num_attention_heads: 2, patch_size: [2, 3] },
      /patches must be square/,
    ],
    [
      { model_type: "vit", hidden_size: 8, num_attention_heads: 2, image_size: 9, patch_size: 2 },
      /"patch_size" must divide/,
    ],
    [
      { model_type: "bert", hidden_size: 8, num_attention_heads: 2, position_embedding_type: "relative_key" },
      /"position_embedding_type" must be "absolute"/,
    ],
  ])("networkOfConfig() refuses %j", (config, message) => {
    expect(() => networkOfConfig(config, { source: "m/config.json" })).toThrow(message);
    expect(() => networkOfConfig(config, { source: "m/config.json" })).toThrow(/^Cannot .*"m\/config.json/);
  });

  test("networkOfConfig() says which tensors are missing, have other shapes, or are not of the network", () => {
    const build = (tensors: ReadonlyMap<string, TensorInfo>) => networkOfConfig(LLAMA, { tensors });
    const own = tensorsOf(LLAMA);
    expect(build(own).parameters).toBe(networkOfConfig(LLAMA).parameters);
    const deeper = tensorsOf({ ...LLAMA, num_hidden_layers: 2 });
    expect(() => build(deeper)).toThrow(
      /it knows no "model.layers.1.input_layernorm.weight", .* 4 more; check the config/,
    );
    expect(() => networkOfConfig({ ...LLAMA, num_hidden_layers: 2 }, { tensors: own })).toThrow(
      /it lacks "model.layers.1.input_layernorm.weight", .*, 4 more$/,
    );
    const wider = tensorsOf({ ...LLAMA, intermediate_size: 32 });
    expect(() => build(wider)).toThrow(
      /it makes "model.layers.0.mlp.gate_proj.weight" \[24, 16\], the checkpoint holds \[32, 16\]$/,
    );
    const biased = tensorsOf({ ...LLAMA, attention_bias: true });
    expect(() => build(biased)).toThrow(/it knows no "model.layers.0.self_attn.q_proj.bias"/);
  });

  test("networkOfConfig() leaves buffers aside", () => {
    const buffer: TensorInfo = { dtype: "f32", shape: [2] };
    const tensors = new Map([
      ...tensorsOf(LLAMA),
      ["model.layers.0.self_attn.rotary_emb.inv_freq", buffer] as const,
    ]);
    expect(networkOfConfig(LLAMA, { tensors }).graph.weights.has("model.norm.weight")).toBe(true);
  });

  test("networkOfConfig() takes names without a prefix, and gives hidden states where there is no head", () => {
    const config = { ...LLAMA, architectures: ["LlamaModel"] };
    const bare = [...tensorsOf(LLAMA)]
      .filter(([name]) => name !== "lm_head.weight")
      .map(([name, info]) => [name.replace(/^model\./, ""), info] as const);
    const { graph } = networkOfConfig(config, { tensors: new Map(bare) });
    expect(graph.outputs).toEqual([{ name: "hidden", dtype: "f32", shape: ["N", 8, 16] }]);
  });

  test("networkOfConfig() builds for examples of a length, and starts from a seed", async () => {
    expect(() => networkOfConfig(LLAMA, { length: 0 })).toThrow(/at least 1: got 0$/);
    const short = { model_type: "gpt2", vocab_size: 11, n_embd: 8, n_head: 2, n_layer: 1, n_positions: 4 };
    expect(() => networkOfConfig(short, { length: 5 })).toThrow(
      /a position for each: it has 4; take texts of at most/,
    );
    const network = networkOfConfig(LLAMA, { length: 5 });
    expect(network.graph.inputs[0]?.shape).toEqual(["N", 5]);
    const longer = network.ofLength(7);
    expect(longer.graph).toEqual(networkOfConfig(LLAMA, { length: 7 }).graph);
    expect(networkOfConfig(short, { length: 3 }).maxLength).toBe(4);
    expect(() => networkOfConfig(short, { length: 3 }).ofLength(5)).toThrow(/a position for each: it has 4/);
    const weights = network.initialize(3);
    expect([...weights.tensors.keys()]).toEqual([...network.graph.weights.keys()]);
    expect(await weights.read("lm_head.weight")).toEqual(await network.initialize(3).read("lm_head.weight"));
  });
});

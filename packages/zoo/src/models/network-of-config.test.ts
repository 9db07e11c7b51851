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
  test.each([
    [undefined, /a model's config must be a JSON object$/],
    [[], /a model's config must be a JSON object$/],
    [
      {},
      /"model_type" must be one of llama, mistral, .*vit: it is missing; for others export an ONNX graph$/,
    ],
    [{ model_type: "opt" }, /"model_type" must be one of .*: it is "opt"/],
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
      { ...LLAMA, rope_scaling: { type: "ntk", factor: 2 } },
      /must be scaled by default, linear, .*yarn, mrope: they are by ntk$/,
    ],
    [
      { ...LLAMA, rope_scaling: { type: "longrope", short_factor: [1], long_factor: [1, 2] } },
      /"short_factor" must have a factor for each of 2 pairs of dimensions: it has 1$/,
    ],
    [{ ...LLAMA, rope_scaling: { type: "linear" } }, /"factor" must be a number: it is missing$/],
    [
      { ...LLAMA, rope_scaling: { type: "longrope" } },
      /"short_factor" must be a list of numbers: it is missing$/,
    ],
    [
      { ...LLAMA, model_type: "gemma", num_key_value_heads: 4, use_bidirectional_attention: true },
      /"use_bidirectional_attention" must be false: it is true$/,
    ],
    [
      { ...LLAMA, model_type: "gemma2", query_pre_attn_scalar: 0 },
      /"query_pre_attn_scalar" must be above 0: it is 0$/,
    ],
    [
      { ...LLAMA, model_type: "granite", sliding_window: 4 },
      /networks of its type have no "sliding_window": it is 4$/,
    ],
    [
      { ...LLAMA, model_type: "starcoder2", norm_type: "rms_norm" },
      /"norm_type" must be "layer_norm": it is "rms_norm"$/,
    ],
    [{ ...LLAMA, model_type: "cohere", rotary_pct: 0.5 }, /"rotary_pct" must be 1: it is 0.5$/],
    [{ ...LLAMA, model_type: "cohere2", use_qk_norm: true }, /"use_qk_norm" must be false: it is true$/],
    [
      { ...LLAMA, model_type: "qwen3_moe", num_experts: 2 ** 40 },
      /"num_experts" must be a whole number from 1 to 1024: it is 1099511627776$/,
    ],
    [{ ...LLAMA, model_type: "falcon", alibi: true }, /"alibi" must be false: it is true$/],
    [
      { ...LLAMA, model_type: "falcon", num_ln_in_parallel_attn: 2 },
      /"num_ln_in_parallel_attn" must be 1: it is 2$/,
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
    const behind = { ...LLAMA, model_type: "roberta", max_position_embeddings: 8 };
    expect(() => networkOfConfig(behind, { length: 7 })).toThrow(/a position for each: it has 6; take texts/);
    expect(networkOfConfig(behind, { length: 6 }).maxLength).toBe(6);
    expect(networkOfConfig(short, { length: 3 }).maxLength).toBe(4);
    expect(() => networkOfConfig(short, { length: 3 }).ofLength(5)).toThrow(/a position for each: it has 4/);
    const weights = network.initialize(3);
    expect([...weights.tensors.keys()]).toEqual([...network.graph.weights.keys()]);
    expect(await weights.read("lm_head.weight")).toEqual(await network.initialize(3).read("lm_head.weight"));
  });
});

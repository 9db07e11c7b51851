import { isIsthmusError, OutOfRangeError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MODEL_TYPES } from "./model-types.ts";
import { networkOfConfig } from "./network-of-config.ts";

/** A config that has the fields of all families, each with a value that fits the others. */
const FIELDS = {
  ...{ vocab_size: 13, hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, max_position_embeddings: 32, rms_norm_eps: 1e-6, layer_norm_eps: 1e-6 },
  ...{ rope_theta: 10_000, rotary_emb_base: 10_000, hidden_act: "silu", head_dim: 4, rotary_pct: 0.5 },
  ...{ partial_rotary_factor: 0.5, query_pre_attn_scalar: 4, sliding_window: 8, type_vocab_size: 2 },
  ...{ n_embd: 16, n_head: 2, n_layer: 1, n_positions: 9, layer_norm_epsilon: 1e-6, pad_token_id: 1 },
  ...{ dim: 16, n_heads: 2, n_layers: 1, hidden_dim: 32, d_model: 16, d_ff: 32, d_kv: 4, num_heads: 4 },
  ...{ num_layers: 1, image_size: 8, patch_size: 4, num_channels: 3, num_local_experts: 2 },
  ...{ num_experts_per_tok: 1, n_routed_experts: 2, moe_intermediate_size: 6, n_group: 2, topk_group: 1 },
  ...{ q_lora_rank: 6, kv_lora_rank: 4, qk_nope_head_dim: 4, qk_rope_head_dim: 2, v_head_dim: 4 },
  ...{ first_k_dense_replace: 1, state_size: 2, time_step_rank: 2, conv_kernel: 3, expand: 1, n_groups: 2 },
  ...{ encoder_layers: 1, encoder_attention_heads: 2, encoder_ffn_dim: 24 },
  ...{ decoder_layers: 1, decoder_attention_heads: 2, decoder_ffn_dim: 24, max_source_positions: 4 },
  ...{ max_target_positions: 9, num_mel_bins: 4, projection_dim: 6, local_attention: 4 },
  ...{ sample_size: 8, in_channels: 2, out_channels: 2, block_out_channels: [8, 16] },
  ...{ down_block_types: ["DownBlock2D", "AttnDownBlock2D"], up_block_types: ["AttnUpBlock2D", "UpBlock2D"] },
  ...{
    norm_num_groups: 4,
    attention_head_dim: 4,
    cross_attention_dim: 6,
    layers_per_block: 1,
    freq_shift: 0,
  },
  ...{
    num_class_embeds: 3,
    transformer_layers_per_block: 1,
    downsample_padding: 1,
    mid_block_scale_factor: 1,
  },
};
const SCALINGS = [
  {
    rope_type: "llama3",
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 4,
  },
  {
    rope_type: "yarn",
    factor: 8,
    beta_fast: 32,
    beta_slow: 1,
    mscale: 1,
    mscale_all_dim: 1,
    rope_theta: 100,
  },
  { rope_type: "dynamic", factor: 8, original_max_position_embeddings: 4, rope_theta: 100 },
];

const anyType = fc.constantFrom(...MODEL_TYPES);
const anyIndex = fc.nat(6);
const anyNumber = fc.oneof(
  fc.constantFrom(0, -1, 0.5, 3, 1e12, 1e308, 5e-324, 2 ** 31, 2 ** 28, 2 ** 20, 65_537, -1e-9),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

/** Builds the network of a config, or returns the error that is not one of ours. */
function build(config: unknown): unknown {
  try {
    networkOfConfig(config);
    return undefined;
  } catch (error) {
    return isIsthmusError(error) || error instanceof OutOfRangeError ? undefined : error;
  }
}

describe("networkOfConfig() of numbers that strangers write", () => {
  test("builds a network or says what is wrong, whatever one field holds", () => {
    fc.assert(
      fc.property(anyType, fc.constantFrom(...Object.keys(FIELDS)), anyNumber, (type, field, value) => {
        expect(build({ ...FIELDS, model_type: type, [field]: value })).toBeUndefined();
      }),
      { numRuns: 400 },
    );
  });

  test("does so for the scaling of rotary positions, too", () => {
    fc.assert(
      fc.property(
        anyType,
        fc.constantFrom(...SCALINGS),
        anyIndex,
        anyNumber,
        (type, scaling, index, value) => {
          const field = Object.keys(scaling)[index] ?? "factor";
          const scaled = { ...FIELDS, rope_scaling: { ...scaling, [field]: value } };
          expect(build({ ...scaled, model_type: type })).toBeUndefined();
        },
      ),
    );
  });

  test.each([
    ["gpt_neox", { rotary_pct: 2 ** 31 }, '"rotary_pct" must be from 0 to 1: it is 2147483648'],
    ["gpt_neox", { rotary_pct: 0.3 }, "dimensions of a head turn in pairs, 2 to 16384 of them: 1 of 4 would"],
    ["llama", { head_dim: 2 ** 28 }, "2 to 16384 of them: 268435456 of 268435456 would"],
    ["llama", { rope_theta: -1 }, '"rope_theta" must be above 0: it is -1'],
    ["llama", { rms_norm_eps: 1e308 }, '"rms_norm_eps" must be from 0 to 1: it is 1e+308'],
    ["mixtral", { num_local_experts: 2 ** 27 }, '"num_local_experts" must be a whole number from 1 to 1024'],
    ["vit", { image_size: 2 ** 28 }, '"image_size" must be a whole number from 1 to 16384, or two'],
    [
      "UNet2DModel",
      { sample_size: 9 },
      '"block_out_channels" must divide "sample_size": 2 does not divide 9',
    ],
    ["UNet2DModel", { norm_num_groups: 3 }, '"norm_num_groups" must divide "block_out_channels": 3 does not'],
    [
      "UNet2DModel",
      { block_out_channels: [8, 16, 32] },
      "whole number from 1 to 65536, or a list of 2: it is",
    ],
    ["UNet2DModel", { down_block_types: ["SkipDownBlock2D", "DownBlock2D"] }, 'one is "SkipDownBlock2D"'],
    ["UNet2DModel", { time_embedding_type: "fourier" }, '"time_embedding_type" must be "positional"'],
    ["UNet2DModel", { freq_shift: 4 }, 'of which a half exceeds "freq_shift": it is 8'],
    ["roberta", { pad_token_id: -3 }, '"pad_token_id" must be a whole number from 0'],
  ])("refuses %s with %j", (model_type, fields, message) => {
    expect(() => networkOfConfig({ ...FIELDS, model_type, ...fields })).toThrow(message);
  });
});

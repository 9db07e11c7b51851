import type { ModelConfig } from "./model-config.ts";

/**
 * Fields of configs by which some family computes another function from the same tensors, or has other
 * tensors, with the values that ask for nothing.
 *
 * A family that reads such a field decides on it; for any other family another value is refused, so that no
 * network is built that leaves out what its config asks for. Null counts as missing.
 */
const FUNCTION_FIELDS: Readonly<Record<string, readonly (string | number | boolean)[]>> = {
  add_cross_attention: [false],
  alibi: [false],
  apply_residual_connection_post_layernorm: [false],
  attention_bias: [false],
  attention_multiplier: [],
  attn_logit_softcapping: [],
  attn_output_gate: [false],
  attn_temperature_tuning: [false, 0],
  clip_qkv: [],
  embedding_multiplier: [1],
  final_logit_softcapping: [],
  logit_scale: [1],
  logit_softcapping: [],
  logits_scaling: [1],
  mlp_bias: [false],
  mlp_only_layers: [],
  no_rope_layer_interval: [],
  no_rope_layers: [],
  parallel_attn: [false],
  partial_rotary_factor: [1],
  position_embedding_type: ["absolute", "rope"],
  qk_layernorm: [false],
  qk_norm: [false],
  query_pre_attn_scalar: [],
  residual_multiplier: [1],
  rope_scaling: [],
  rotary_pct: [1],
  routed_scaling_factor: [1],
  scale_attn_by_inverse_layer_idx: [false],
  scale_attn_weights: [true],
  scale_depth: [],
  scale_emb: [1],
  scale_embedding: [false],
  sliding_window: [],
  use_bidirectional_attention: [false],
  use_parallel_block: [false],
  use_parallel_residual: [false],
  use_qk_norm: [false],
};

/**
 * Checks that a network which was built from a config does all that the config asks for.
 * @throws UnsupportedError if a field that changes the function of networks was not read, and asks for
 *   something
 */
export function assertUnderstood(config: ModelConfig): void {
  for (const [name, values] of Object.entries(FUNCTION_FIELDS)) {
    if (!config.wasRead(name)) config.require(name, ...values);
  }
}

import { MODEL_TYPES, type ModelType } from "./model-types.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Values that most decoders share. */
const DECODER = { hidden_act: "silu", rms_norm_eps: 1e-6, rope_theta: 10_000 };
const LLAMA = { ...DECODER, max_position_embeddings: 2048 };
const QWEN = { ...DECODER, max_position_embeddings: 32_768, sliding_window: 4096, max_window_layers: 28 };
const QWEN2_IMAGES = {
  ...QWEN,
  rms_norm_eps: 1e-5,
  rope_theta: 1_000_000,
  num_key_value_heads: 8,
  max_window_layers: 80,
};
const QWEN_MOE = { max_position_embeddings: 32_768, sliding_window: 4096, decoder_sparse_step: 1 };
const GEMMA2 = {
  hidden_activation: "gelu_pytorch_tanh",
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  num_key_value_heads: 4,
  head_dim: 256,
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
};
const GEMMA3 = {
  ...GEMMA2,
  // Published configs of models with images lack these two.
  vocab_size: 262_208,
  num_attention_heads: 8,
  max_position_embeddings: 131_072,
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
};
const COHERE = {
  hidden_act: "silu",
  layer_norm_eps: 1e-5,
  tie_word_embeddings: true,
  max_position_embeddings: 8192,
  logit_scale: 0.0625,
};
const DEEPSEEK = {
  ...LLAMA,
  q_lora_rank: 1536,
  kv_lora_rank: 512,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
};
const MAMBA = {
  hidden_act: "silu",
  layer_norm_epsilon: 1e-5,
  expand: 2,
  conv_kernel: 4,
  use_conv_bias: true,
};
const BERT = {
  hidden_act: "gelu",
  layer_norm_eps: 1e-12,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  tie_word_embeddings: true,
};
const ROBERTA = { ...BERT, pad_token_id: 1 };
const CLIP = { num_hidden_layers: 12, hidden_act: "quick_gelu", layer_norm_eps: 1e-5, projection_dim: 512 };
const SIGLIP = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  hidden_act: "gelu_pytorch_tanh",
  layer_norm_eps: 1e-6,
};
const IMAGES = { image_size: 224, patch_size: 16, num_channels: 3 };
const UNET = {
  act_fn: "silu",
  norm_eps: 1e-5,
  norm_num_groups: 32,
  layers_per_block: 2,
  attention_head_dim: 8,
  flip_sin_to_cos: true,
  freq_shift: 0,
  downsample_padding: 1,
  mid_block_scale_factor: 1,
};

/**
 * Values of the fields that a `config.json` does not state, by the type of the model; for models that see
 * images, in the config of their texts. These are the defaults of the config classes of transformers and
 * diffusers, without fields that are false or null by default. Extents that no line has must be stated, or
 * follow from other fields.
 */
export const CONFIG_DEFAULTS: Readonly<Record<ModelType, Fields>> = {
  llama: LLAMA,
  mistral: { ...DECODER, max_position_embeddings: 131_072, num_key_value_heads: 8, sliding_window: 4096 },
  mixtral: {
    ...DECODER,
    rms_norm_eps: 1e-5,
    rope_theta: 1_000_000,
    max_position_embeddings: 131_072,
    num_key_value_heads: 8,
    num_local_experts: 8,
    num_experts_per_tok: 2,
  },
  qwen2: { ...QWEN, num_key_value_heads: 32 },
  qwen3: { ...QWEN, num_key_value_heads: 32, head_dim: 128 },
  qwen2_moe: {
    ...DECODER,
    ...QWEN_MOE,
    num_key_value_heads: 16,
    num_experts: 60,
    num_experts_per_tok: 4,
    moe_intermediate_size: 1408,
    shared_expert_intermediate_size: 5632,
    qkv_bias: true,
  },
  qwen3_moe: {
    ...DECODER,
    ...QWEN_MOE,
    num_key_value_heads: 4,
    num_experts: 128,
    num_experts_per_tok: 8,
    moe_intermediate_size: 768,
  },
  qwen2_vl: QWEN2_IMAGES,
  qwen2_5_vl: QWEN2_IMAGES,
  qwen3_vl: {
    ...DECODER,
    rope_theta: 500_000,
    max_position_embeddings: 128_000,
    num_key_value_heads: 32,
    head_dim: 128,
  },
  gemma: {
    ...DECODER,
    hidden_act: "gelu_pytorch_tanh",
    tie_word_embeddings: true,
    max_position_embeddings: 8192,
    num_key_value_heads: 16,
    head_dim: 256,
  },
  gemma2: {
    ...GEMMA2,
    max_position_embeddings: 8192,
    rope_theta: 10_000,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  },
  gemma3_text: GEMMA3,
  gemma3: GEMMA3,
  phi: {
    hidden_act: "gelu_new",
    layer_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    rope_theta: 10_000,
    partial_rotary_factor: 0.5,
  },
  phi3: { ...DECODER, rms_norm_eps: 1e-5, max_position_embeddings: 4096, partial_rotary_factor: 1 },
  granite: {
    ...LLAMA,
    embedding_multiplier: 1,
    residual_multiplier: 1,
    attention_multiplier: 1,
    logits_scaling: 1,
  },
  olmo2: { ...LLAMA, rms_norm_eps: 1e-5 },
  stablelm: {
    hidden_act: "silu",
    layer_norm_eps: 1e-5,
    max_position_embeddings: 4096,
    num_key_value_heads: 32,
    rope_theta: 10_000,
    partial_rotary_factor: 0.25,
  },
  starcoder2: {
    hidden_act: "gelu_pytorch_tanh",
    norm_epsilon: 1e-5,
    tie_word_embeddings: true,
    max_position_embeddings: 4096,
    num_key_value_heads: 2,
    rope_theta: 10_000,
    use_bias: true,
  },
  cohere: { ...COHERE, rope_theta: 500_000 },
  cohere2: { ...COHERE, rope_theta: 10_000, sliding_window: 4096 },
  falcon: {
    activation: "gelu",
    layer_norm_epsilon: 1e-5,
    tie_word_embeddings: true,
    max_position_embeddings: 2048,
    rope_theta: 10_000,
    multi_query: true,
    parallel_attn: true,
  },
  deepseek: {
    ...LLAMA,
    num_experts_per_tok: 1,
    moe_intermediate_size: 1407,
    first_k_dense_replace: 0,
    moe_layer_freq: 1,
  },
  deepseek_v2: {
    ...DEEPSEEK,
    n_routed_experts: 64,
    n_shared_experts: 2,
    moe_intermediate_size: 1407,
    first_k_dense_replace: 0,
    topk_method: "greedy",
    routed_scaling_factor: 1,
  },
  deepseek_v3: {
    ...DEEPSEEK,
    max_position_embeddings: 4096,
    num_key_value_heads: 128,
    n_routed_experts: 256,
    n_shared_experts: 1,
    num_experts_per_tok: 8,
    moe_intermediate_size: 2048,
    first_k_dense_replace: 3,
    n_group: 8,
    topk_group: 4,
    norm_topk_prob: true,
    routed_scaling_factor: 2.5,
    rope_interleave: true,
  },
  mamba: { ...MAMBA, state_size: 16, tie_word_embeddings: true },
  mamba2: { ...MAMBA, num_heads: 128, head_dim: 64, n_groups: 8, state_size: 128 },
  gpt2: {
    activation_function: "gelu_new",
    layer_norm_epsilon: 1e-5,
    n_positions: 1024,
    tie_word_embeddings: true,
  },
  gpt_neox: {
    hidden_act: "gelu",
    layer_norm_eps: 1e-5,
    max_position_embeddings: 2048,
    rotary_emb_base: 10_000,
    rotary_pct: 0.25,
    attention_bias: true,
    use_parallel_residual: true,
  },
  bert: BERT,
  roberta: ROBERTA,
  "xlm-roberta": ROBERTA,
  distilbert: {
    activation: "gelu",
    max_position_embeddings: 512,
    hidden_dim: 3072,
    tie_word_embeddings: true,
  },
  modernbert: {
    hidden_activation: "gelu",
    norm_eps: 1e-5,
    max_position_embeddings: 8192,
    global_rope_theta: 160_000,
    local_rope_theta: 10_000,
    local_attention: 128,
    classifier_activation: "gelu",
    classifier_pooling: "cls",
    decoder_bias: true,
    tie_word_embeddings: true,
  },
  t5: {
    feed_forward_proj: "relu",
    layer_norm_epsilon: 1e-6,
    d_kv: 64,
    relative_attention_num_buckets: 32,
    relative_attention_max_distance: 128,
    tie_word_embeddings: true,
    pad_token_id: 0,
  },
  whisper: {
    activation_function: "gelu",
    max_source_positions: 1500,
    max_target_positions: 448,
    num_mel_bins: 80,
    tie_word_embeddings: true,
    decoder_start_token_id: 50_257,
    pad_token_id: 50_256,
  },
  clip: { projection_dim: 512 },
  clip_text_model: {
    ...CLIP,
    vocab_size: 49_408,
    hidden_size: 512,
    intermediate_size: 2048,
    num_attention_heads: 8,
    max_position_embeddings: 77,
    eos_token_id: 49_407,
  },
  clip_vision_model: {
    ...CLIP,
    ...IMAGES,
    patch_size: 32,
    hidden_size: 768,
    intermediate_size: 3072,
    num_attention_heads: 12,
  },
  siglip: {},
  siglip_text_model: { ...SIGLIP, vocab_size: 32_000, max_position_embeddings: 64 },
  siglip_vision_model: { ...SIGLIP, ...IMAGES, vision_use_head: true },
  vit: { ...IMAGES, hidden_act: "gelu", layer_norm_eps: 1e-12, qkv_bias: true, pooler_act: "tanh" },
  UNet2DModel: { ...UNET, in_channels: 3, out_channels: 3, add_attention: true },
  UNet2DConditionModel: {
    ...UNET,
    in_channels: 4,
    out_channels: 4,
    cross_attention_dim: 1280,
    transformer_layers_per_block: 1,
  },
};

/** Returns the fields of {@link CONFIG_DEFAULTS} of a type of models; of an unknown type there are none. */
export function configDefaults(type: unknown): Fields {
  const modelType = MODEL_TYPES.find((name) => name === type);
  return modelType === undefined ? {} : CONFIG_DEFAULTS[modelType];
}

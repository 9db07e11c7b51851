import type { PartConfig, ShapeFacts } from "./facts.ts";

/** Channels of one head of attention in CLIP. */
const HEAD_CHANNELS = 64;

/** Makes the config of the text part of CLIP, whose activation differs from that of OpenCLIP. */
export function clipConfig(activation: "quick_gelu" | "gelu"): (facts: ShapeFacts) => PartConfig {
  return ({ extent, has, count }) => {
    const embedding = "text_model.embeddings.token_embedding.weight";
    const width = extent(embedding, 1);
    const hasProjection = has("text_projection.weight");
    const told = {
      architectures: [hasProjection ? "CLIPTextModelWithProjection" : "CLIPTextModel"],
      model_type: "clip_text_model",
      hidden_size: width,
      intermediate_size: extent("text_model.encoder.layers.0.mlp.fc1.weight"),
      max_position_embeddings: extent("text_model.embeddings.position_embedding.weight"),
      num_hidden_layers: count("text_model.encoder.layers."),
      ...(hasProjection && { projection_dim: extent("text_projection.weight") }),
      vocab_size: extent(embedding),
    };
    const assumed = {
      bos_token_id: 0,
      // transformers takes 2 as a sign of old configs, and looks for the largest token in place of it.
      eos_token_id: 2,
      hidden_act: activation,
      layer_norm_eps: 1e-5,
      num_attention_heads: Math.max(1, width / HEAD_CHANNELS),
      pad_token_id: 1,
      ...(!hasProjection && { projection_dim: width }),
    };
    return { told, assumed };
  };
}

/** Makes the config of the encoder of T5, version 1.1. */
export function t5Config({ extent, count }: ShapeFacts): PartConfig {
  const bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
  const heads = extent(bias, 1);
  const told = {
    architectures: ["T5EncoderModel"],
    model_type: "t5",
    d_ff: extent("encoder.block.0.layer.1.DenseReluDense.wo.weight", 1),
    d_kv: extent("encoder.block.0.layer.0.SelfAttention.q.weight") / heads,
    d_model: extent("shared.weight", 1),
    num_heads: heads,
    num_layers: count("encoder.block."),
    relative_attention_num_buckets: extent(bias),
    vocab_size: extent("shared.weight"),
  };
  const assumed = {
    decoder_start_token_id: 0,
    dense_act_fn: "gelu_new",
    eos_token_id: 1,
    feed_forward_proj: "gated-gelu",
    is_encoder_decoder: true,
    is_gated_act: true,
    layer_norm_epsilon: 1e-6,
    pad_token_id: 0,
    relative_attention_max_distance: 128,
    tie_word_embeddings: false,
  };
  return { told, assumed };
}

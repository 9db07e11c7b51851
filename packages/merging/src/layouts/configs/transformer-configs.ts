import { listOf, type PartConfig, type ShapeFacts } from "./facts.ts";

/** Channels of one head of attention in Stable Diffusion 3, which has norms of queries only since 3.5. */
const HEAD_CHANNELS = 64;

/** Makes the config of the transformer of Flux. */
export function fluxConfig({ extent, has, count }: ShapeFacts): PartConfig {
  const head = extent("transformer_blocks.0.attn.norm_q.weight");
  const [input, output] = [extent("x_embedder.weight", 1), extent("proj_out.weight")];
  // Of the channels of a head, an eighth tells the picture, and the rest in halves the row and the column.
  const first = head / 8;
  const axis = (head - first) / 2;
  const told = {
    _class_name: "FluxTransformer2DModel",
    attention_head_dim: head,
    guidance_embeds: has("time_text_embed.guidance_embedder.linear_1.weight"),
    in_channels: input,
    joint_attention_dim: extent("context_embedder.weight", 1),
    num_attention_heads: extent("x_embedder.weight") / head,
    num_layers: count("transformer_blocks."),
    num_single_layers: count("single_transformer_blocks."),
    out_channels: output === input ? null : output,
    pooled_projection_dim: extent("time_text_embed.text_embedder.linear_1.weight", 1),
  };
  return { told, assumed: { axes_dims_rope: [first, axis, axis], patch_size: 1 } };
}

/** Makes the config of the transformer of Stable Diffusion 3. */
export function stableDiffusion3Config({ extent, has, count }: ShapeFacts): PartConfig {
  const layers = count("transformer_blocks.");
  const norm = extent("transformer_blocks.0.attn.norm_q.weight");
  const head = norm > 0 ? norm : HEAD_CHANNELS;
  const patch = extent("pos_embed.proj.weight", 2);
  const dual = listOf(layers, (i) => i).filter((i) => has(`transformer_blocks.${i}.attn2.to_q.weight`));
  const heads = { attention_head_dim: head, num_attention_heads: extent("pos_embed.proj.weight") / head };
  const told = {
    _class_name: "SD3Transformer2DModel",
    ...(norm > 0 && heads),
    caption_projection_dim: extent("context_embedder.weight"),
    ...(dual.length > 0 && { dual_attention_layers: dual }),
    in_channels: extent("pos_embed.proj.weight", 1),
    joint_attention_dim: extent("context_embedder.weight", 1),
    num_layers: layers,
    out_channels: extent("proj_out.weight") / patch ** 2,
    patch_size: patch,
    pooled_projection_dim: extent("time_text_embed.text_embedder.linear_1.weight", 1),
    pos_embed_max_size: Math.sqrt(extent("pos_embed.pos_embed", 1)),
    ...(norm > 0 && { qk_norm: "rms_norm" }),
  };
  return { told, assumed: { ...(norm > 0 ? {} : heads), sample_size: 128 } };
}

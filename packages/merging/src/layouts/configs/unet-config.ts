import { listOf, type PartConfig, type ShapeFacts } from "./facts.ts";

/** Channels of one head of attention in Stable Diffusion XL; version 1 has eight heads of any size. */
const HEAD_CHANNELS = 64;
const HEADS = 8;

/**
 * Makes the config of a U-Net. Shapes do not tell the number of heads, the groups of the norms and the size
 * of images: these are as in Stable Diffusion 1 if attention begins with a convolution, else as in XL.
 */
export function unetConfig({ extent, has, rank, count }: ShapeFacts): PartConfig {
  const blocks = count("down_blocks.");
  const channels = listOf(blocks, (i) => extent(`down_blocks.${i}.resnets.0.conv1.weight`));
  const attentive = (block: string) => has(`${block}.attentions.0.norm.weight`);
  const types = (way: "down" | "up", name: string) =>
    listOf(blocks, (i) => (attentive(`${way}_blocks.${i}`) ? `CrossAttn${name}` : name));
  const depth = (i: number) => Math.max(1, count(`down_blocks.${i}.attentions.0.transformer_blocks.`));
  const depths = listOf(blocks, depth);
  const first = [...listOf(blocks, (i) => `down_blocks.${i}`), "mid_block"].find(attentive) ?? "mid_block";
  const inner = `${first}.attentions.0`;
  const isLinear = rank(`${inner}.proj_in.weight`) === 2;
  const added = extent("add_embedding.linear_1.weight", 1);
  const told = {
    _class_name: "UNet2DConditionModel",
    ...(added > 0 && { addition_embed_type: "text_time", projection_class_embeddings_input_dim: added }),
    block_out_channels: channels,
    cross_attention_dim: extent(`${inner}.transformer_blocks.0.attn2.to_k.weight`, 1),
    down_block_types: types("down", "DownBlock2D"),
    in_channels: extent("conv_in.weight", 1),
    layers_per_block: 2,
    mid_block_type: attentive("mid_block") ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D",
    out_channels: extent("conv_out.weight"),
    transformer_layers_per_block: depths.every((of) => of === 1) ? 1 : depths,
    up_block_types: types("up", "UpBlock2D"),
    use_linear_projection: isLinear,
  };
  const assumed = {
    act_fn: "silu",
    ...(added > 0 && { addition_time_embed_dim: 256 }),
    attention_head_dim: isLinear ? channels.map((of) => Math.max(1, of / HEAD_CHANNELS)) : HEADS,
    center_input_sample: false,
    flip_sin_to_cos: true,
    freq_shift: 0,
    norm_eps: 1e-5,
    norm_num_groups: 32,
    sample_size: added > 0 ? 128 : 64,
  };
  return { told, assumed };
}

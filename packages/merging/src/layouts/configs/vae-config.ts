import { listOf, type PartConfig, type ShapeFacts } from "./facts.ts";

/** Makes the config of an autoencoder; shapes tell neither the groups of its norms nor a scale of latents. */
export function vaeConfig({ extent, has, count }: ShapeFacts): PartConfig {
  const blocks = count("encoder.down_blocks.");
  const told = {
    _class_name: "AutoencoderKL",
    block_out_channels: listOf(blocks, (i) => extent(`encoder.down_blocks.${i}.resnets.0.conv1.weight`)),
    down_block_types: listOf(blocks, () => "DownEncoderBlock2D"),
    in_channels: extent("encoder.conv_in.weight", 1),
    latent_channels: extent("decoder.conv_in.weight", 1),
    layers_per_block: count("encoder.down_blocks.0.resnets."),
    out_channels: extent("decoder.conv_out.weight"),
    up_block_types: listOf(blocks, () => "UpDecoderBlock2D"),
    use_post_quant_conv: has("post_quant_conv.weight"),
    use_quant_conv: has("quant_conv.weight"),
  };
  return { told, assumed: { act_fn: "silu", norm_num_groups: 32 } };
}

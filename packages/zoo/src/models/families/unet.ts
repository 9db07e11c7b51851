import { at, FormatError } from "@isthmus/core";
import { add, cast, concat, gather, mul, reshape, silu, sub, type Value } from "@isthmus/graph/builder";
import { normal } from "../../initializer.ts";
import { doubleImages, halveImages } from "../../layers/unet/change-resolution.ts";
import { pixelAttention, pixelTransformer } from "../../layers/unet/pixel-attention.ts";
import { convolveWithBias, normalizeChannels, residualBlock } from "../../layers/unet/residual-block.ts";
import { embedRows, sinusoids } from "../../layers/unet/time-embedding.ts";
import type { TextRows, UnetContext } from "../../layers/unet/unet-context.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import {
  type BetweenBlocks,
  groupsOf,
  narrowUnet,
  readLevels,
  shrinkUnet,
  type UnetLevel,
} from "./unet-shape.ts";

/**
 * The U-Net of diffusion models without a text, `UNet2DModel` of diffusers.
 * @see Ho et al., Denoising diffusion probabilistic models, 2020
 */
export const UNET: ModelFamily = familyOf(false);

/**
 * The U-Net of latent diffusion, which reads a text by cross-attention, `UNet2DConditionModel` of diffusers:
 * Stable Diffusion 1, 2 and XL.
 * @see Rombach et al., High-resolution image synthesis with latent diffusion models, 2022
 */
export const CONDITIONAL_UNET: ModelFamily = familyOf(true);

function familyOf(hasText: boolean): ModelFamily {
  return {
    build: (context) => build(context, hasText),
    narrow: (config) => ({
      ...narrowUnet(config, hasText),
      ...(hasText && { cross_attention_dim: Math.min(16, config.count("cross_attention_dim")) }),
    }),
    shrink: (config) => shrinkUnet(config, hasText),
    maxLength: () => undefined,
    idle: /^$/,
  };
}

/** Fields of which one value alone can be built, by their values. */
const ONLY: Readonly<Record<string, string | boolean | number>> = {
  resnet_time_scale_shift: "default",
  time_embedding_type: "positional",
  downsample_type: "conv",
  upsample_type: "conv",
  only_cross_attention: false,
  dual_cross_attention: false,
  resnet_skip_time_act: false,
  resnet_out_scale_factor: 1,
  class_embeddings_concat: false,
  conv_in_kernel: 3,
  conv_out_kernel: 3,
  attention_type: "default",
};

/** Fields of networks that need layers of other kinds. */
const OTHERS: readonly string[] = [
  ...["time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim", "cross_attention_norm"],
  ...["class_embed_type", "encoder_hid_dim_type", "reverse_transformer_layers_per_block"],
  "attn_norm_num_groups",
];

/** Number of tokens of a text for which the network is built, as many as CLIP's text encoder has. */
const TOKENS = 77;

function build(family: FamilyContext, hasText: boolean): FamilyOutputs {
  const { network, config, has } = family;
  for (const [field, only] of Object.entries(ONLY)) config.require(field, only);
  for (const field of OTHERS) config.require(field);
  const levels = readLevels(config, hasText);
  const images = readSample(family, levels);
  const text = hasText ? readText(family) : undefined;
  const activation = modelActivation(config, "act_fn");
  const time = activation(embedTime(family, hasText, at(levels, 0, "level").channels));
  const context: UnetContext = {
    network,
    groups: groupsOf(config),
    epsilon: config.share("norm_eps"),
    activation,
    time,
    ...(text === undefined ? {} : { text }),
    areProjectionsLinear: config.boolean("use_linear_projection"),
    hasOldNames: has?.("mid_block.attentions.0.query.weight") === true,
  };
  const skips: Value[] = [];
  const lowest = goDown(context, images, { levels, skips, config });
  const middle = passMiddle(context, lowest, at(levels, levels.length - 1, "level"), { config, hasText });
  const highest = goUp(context, middle, { levels, skips });
  const out = normalizeChannels(context, highest, "conv_norm_out", context.epsilon);
  const last = { out: config.count("out_channels"), side: 3 };
  return {
    out_sample: convolveWithBias(context, (hasText ? activation : silu)(out), "conv_out", last),
  };
}

/** Adds the input `sample`, `[N, channels, height, width]`, and the first convolution. */
function readSample({ network, config }: FamilyContext, levels: readonly UnetLevel[]): Value {
  const sides = config.extents("sample_size", 64);
  for (const side of sides)
    config.assertDivides(["sample_size", side], ["block_out_channels", 2 ** (levels.length - 1)]);
  const sample = network.input("sample", [config.count("in_channels"), ...sides]);
  const centred = config.boolean("center_input_sample") ? sub(mul(sample, 2), 1) : sample;
  const out = at(levels, 0, "level").channels;
  return convolveWithBias({ network }, centred, "conv_in", { out, side: 3 });
}

/** Adds the input `encoder_hidden_states`, `[N, tokens, width]`. */
function readText({ network, config }: FamilyContext): TextRows {
  const width = config.count("cross_attention_dim");
  const states = network.input("encoder_hidden_states", [TOKENS, width]);
  return { rows: reshape(states, [-1, width]), length: TOKENS };
}

/**
 * Adds the input `timestep`, `[N]`, and its embedding, `[N, time]`; with `class_labels`, or with
 * `text_embeds` and `time_ids` of Stable Diffusion XL, the embeddings of these are added to it.
 */
function embedTime({ network, config }: FamilyContext, hasText: boolean, channels: number): Value {
  const waves = {
    cosinesFirst: config.boolean("flip_sin_to_cos"),
    shift: config.number("freq_shift"),
  };
  const out = config.count("time_embedding_dim", 4 * channels);
  const activation = hasText ? modelActivation(config, "act_fn") : silu;
  const steps = cast(network.input("timestep", [], "i64"), "f32");
  const width = evenWidth(config, "block_out_channels", channels, waves.shift);
  const embedded = embedRows(network, sinusoids(network, steps, { width, ...waves }), "time_embedding", {
    out,
    activation,
  });
  if (config.has("num_class_embeds")) {
    const table = network.weight(
      "class_embedding.weight",
      [config.count("num_class_embeds"), out],
      normal(1),
    );
    return add(embedded, gather(table, network.input("class_labels", [], "i64")));
  }
  if (!config.has("addition_embed_type")) return embedded;
  config.require("addition_embed_type", "text_time");
  const field = "addition_time_embed_dim";
  const extent = evenWidth(config, field, config.count(field), waves.shift);
  const whole = config.count("projection_class_embeddings_input_dim");
  const pooled = network.input("text_embeds", [Math.max(1, whole - IDS * extent)]);
  const ids = reshape(network.input("time_ids", [IDS]), [-1]);
  const rows = reshape(sinusoids(network, ids, { width: extent, ...waves }), [-1, IDS * extent]);
  const added = embedRows(network, concat([pooled, rows], 1), "add_embedding", { out, activation });
  return add(embedded, added);
}

/** Numbers on the size and crop of an image that Stable Diffusion XL embeds. */
const IDS = 6;

/** Checks that sinusoids of a width can be made: an even one, with more frequencies than the shift. */
function evenWidth({ source }: ModelConfig, field: string, width: number, shift: number): number {
  if (width % 2 === 0 && width <= 2 ** 16 && width / 2 > shift) return width;
  throw new FormatError(
    `Cannot read "${source}" as "${field}" must be an even number of sines and cosines up to 65536, of which a half exceeds "freq_shift": it is ${width}`,
    { format: "config" },
  );
}

/** Levels of a U-Net, and the images that pass from the way down to the way up. */
interface Ways {
  readonly levels: readonly UnetLevel[];
  /** Images of all blocks on the way down, the last one on top. */
  readonly skips: Value[];
}

/** Adds a layer between residual blocks. */
function passBetween(
  context: UnetContext,
  x: Value,
  name: string,
  layer: UnetLevel & { kind: BetweenBlocks },
): Value {
  if (layer.kind === "none") return x;
  return layer.kind === "attention"
    ? pixelAttention(context, x, name, layer)
    : pixelTransformer(context, x, name, layer);
}

function goDown(
  context: UnetContext,
  images: Value,
  { levels, skips, config }: Ways & { readonly config: ModelConfig },
): Value {
  const pad = config.index("downsample_padding");
  if (pad > 1) config.require("downsample_padding");
  let x = images;
  skips.push(x);
  for (const [i, level] of levels.entries()) {
    const name = `down_blocks.${i}`;
    for (let j = 0; j < level.blocks; j++) {
      x = residualBlock(context, x, `${name}.resnets.${j}`, { out: level.channels });
      x = passBetween(context, x, `${name}.attentions.${j}`, { ...level, kind: level.down });
      skips.push(x);
    }
    if (i === levels.length - 1) continue;
    x = halveImages(context, x, `${name}.downsamplers.0.conv`, pad);
    skips.push(x);
  }
  return x;
}

function passMiddle(
  context: UnetContext,
  images: Value,
  level: UnetLevel,
  { config, hasText }: { readonly config: ModelConfig; readonly hasText: boolean },
): Value {
  config.require("mid_block_type", hasText ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D");
  const isMixed = config.boolean("add_attention");
  const kind = hasText ? "transformer" : isMixed ? "attention" : "none";
  const options = { out: level.channels, scale: config.positive("mid_block_scale_factor") };
  const first = residualBlock(context, images, "mid_block.resnets.0", options);
  const mixed = passBetween(context, first, "mid_block.attentions.0", { ...level, ...options, kind });
  return residualBlock(context, mixed, "mid_block.resnets.1", options);
}

function goUp(context: UnetContext, images: Value, { levels, skips }: Ways): Value {
  let x = images;
  for (const [i, level] of [...levels].reverse().entries()) {
    const name = `up_blocks.${i}`;
    for (let j = 0; j <= level.blocks; j++) {
      const skip = skips.pop();
      const joined = skip === undefined ? x : concat([x, skip], 1);
      x = residualBlock(context, joined, `${name}.resnets.${j}`, { out: level.channels });
      x = passBetween(context, x, `${name}.attentions.${j}`, { ...level, kind: level.up });
    }
    if (i < levels.length - 1) x = doubleImages(context, x, `${name}.upsamplers.0.conv`);
  }
  return x;
}

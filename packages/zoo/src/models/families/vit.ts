import { UnsupportedError } from "@isthmus/core";
import { reshape, slice, type Value } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../../initializer.ts";
import { linear } from "../../layers/linear.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import { type VisionNames, visionTransformer } from "../../layers/vision-transformer.ts";
import { classCount } from "../class-count.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";

/** The vision transformer. @see Dosovitskiy et al., An image is worth 16x16 words, 2021 */
export const VIT: ModelFamily = { build, narrow, idle: /^$/ };

const START = normalWeight(0.02);

/** Returns the names of weights in checkpoints of the library transformers. */
function namesBehind(prefix: string): VisionNames {
  return {
    token: `${prefix}embeddings.cls_token`,
    positions: `${prefix}embeddings.position_embeddings`,
    projection: `${prefix}embeddings.patch_embeddings.projection`,
    block: (index) => {
      const name = `${prefix}encoder.layer.${index}`;
      const inside = `${name}.attention.attention`;
      return {
        attentionNorm: `${name}.layernorm_before`,
        heads: { query: `${inside}.query`, key: `${inside}.key`, value: `${inside}.value` },
        output: `${name}.attention.output.dense`,
        feedForwardNorm: `${name}.layernorm_after`,
        up: `${name}.intermediate.dense`,
        down: `${name}.output.dense`,
      };
    },
  };
}

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, has } = context;
  config.quotient("hidden_size", "num_attention_heads");
  const prefix = has?.("embeddings.cls_token") ? "" : "vit.";
  const epsilon = config.share("layer_norm_eps", 1e-12);
  const width = config.count("hidden_size");
  const { images, patch } = readImages(context);
  const tokens = visionTransformer(network, images, {
    names: namesBehind(prefix),
    patch,
    width,
    depth: config.blocks("num_hidden_layers"),
    heads: config.count("num_attention_heads"),
    hidden: config.count("intermediate_size"),
    epsilon,
    activation: modelActivation(config, "hidden_act", "gelu"),
    tokenInitializer: normal(0.02),
    headBias: config.boolean("qkv_bias", true),
    dropout: 0,
  });
  const rows = rowNorm(network, tokens.rows, `${prefix}layernorm`, epsilon);
  const places = reshape(rows, [-1, tokens.length, width]);
  const first = reshape(slice(places, [{ axis: 1, begin: 0, end: 1 }]), [-1, width]);
  const activate = modelActivation(config, "pooler_act", "tanh");
  const pooler = ["vit.pooler.dense", "pooler.dense"].find((name) => has?.(`${name}.weight`));
  const pooled =
    pooler === undefined
      ? {}
      : { pooled: activate(linear(network, first, pooler, { out: width, initializer: START })) };
  if (has !== undefined && !has("classifier.weight")) return { hidden: places, ...pooled };
  const classes = { out: classCount(config), initializer: START };
  return { logits: linear(network, first, "classifier", classes), ...pooled };
}

/** Adds the input, `[N, channels, height, width]`, and reads the side of the patches that tile it. */
function readImages({ network, config }: FamilyContext): { readonly images: Value; readonly patch: number } {
  const [height, across] = config.extents("image_size", 224);
  const [patch, patchWidth] = config.extents("patch_size", 16);
  assertSquare(config, [patch, patchWidth]);
  config.assertDivides(["image_size", height], ["patch_size", patch]);
  config.assertDivides(["image_size", across], ["patch_size", patch]);
  return { images: network.input("x", [config.count("num_channels", 3), height, across]), patch };
}

function assertSquare({ source }: ModelConfig, [height, width]: readonly [number, number]): void {
  if (height === width) return;
  throw new UnsupportedError(
    `Cannot build the network of "${source}" as patches must be square: "patch_size" is [${height}, ${width}]`,
    { feature: "patch_size" },
  );
}

function narrow(config: ModelConfig): Readonly<Record<string, unknown>> {
  const heads = config.count("num_attention_heads");
  const width = config.quotient("hidden_size", "num_attention_heads") * Math.min(heads, 2);
  const [patchHeight, patchWidth] = config.extents("patch_size", 16);
  const [imageHeight, imageWidth] = config.extents("image_size", 224);
  return {
    hidden_size: width,
    num_attention_heads: Math.min(heads, 2),
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    intermediate_size: Math.min(config.count("intermediate_size"), 2 * width),
    image_size: [Math.min(imageHeight, 3 * patchHeight), Math.min(imageWidth, 3 * patchWidth)],
  };
}

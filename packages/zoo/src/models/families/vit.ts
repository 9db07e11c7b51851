import { reshape, slice } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../../initializer.ts";
import { linear } from "../../layers/linear.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import { type VisionNames, visionTransformer } from "../../layers/vision-transformer.ts";
import { classCount } from "../class-count.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { narrowWidth } from "../narrow-heads.ts";
import { narrowImages, readImages } from "../read-images.ts";

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
  const epsilon = config.share("layer_norm_eps");
  const width = config.count("hidden_size");
  const { shape, patch } = readImages(config);
  const tokens = visionTransformer(network, network.input("x", shape), {
    names: namesBehind(prefix),
    patch,
    width,
    depth: config.blocks("num_hidden_layers"),
    heads: config.count("num_attention_heads"),
    hidden: config.count("intermediate_size"),
    epsilon,
    activation: modelActivation(config, "hidden_act"),
    tokenInitializer: normal(0.02),
    headBias: config.boolean("qkv_bias"),
    dropout: 0,
  });
  const rows = rowNorm(network, tokens.rows, `${prefix}layernorm`, epsilon);
  const places = reshape(rows, [-1, tokens.length, width]);
  const first = reshape(slice(places, [{ axis: 1, begin: 0, end: 1 }]), [-1, width]);
  const activate = modelActivation(config, "pooler_act");
  const pooler = ["vit.pooler.dense", "pooler.dense"].find((name) => has?.(`${name}.weight`));
  const pooled =
    pooler === undefined
      ? {}
      : { pooled: activate(linear(network, first, pooler, { out: width, initializer: START })) };
  if (has !== undefined && !has("classifier.weight")) return { hidden: places, ...pooled };
  const classes = { out: classCount(config), initializer: START };
  return { logits: linear(network, first, "classifier", classes), ...pooled };
}

function narrow(config: ModelConfig): Readonly<Record<string, unknown>> {
  return { ...narrowWidth(config), ...narrowImages(config) };
}

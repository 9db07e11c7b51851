import { at } from "@isthmus/core";
import { gemm, reshape, slice, split, type Value } from "@isthmus/graph/builder";
import { constant, normal } from "../../initializer.ts";
import { linear } from "../../layers/linear.ts";
import { type AttentionPart, multiHeadAttention } from "../../layers/multi-head-attention.ts";
import { addFeedForward } from "../../layers/pre-norm-block.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { ENCODER_START } from "../token-encoder.ts";
import {
  compareTowers,
  EMBEDDINGS,
  imageInput,
  imageTower,
  narrowTower,
  narrowTowers,
  pairInputs,
  type Tower,
  type TowerRows,
  textInput,
  textTower,
  towerBlock,
  towerConfig,
} from "../two-towers.ts";

/**
 * SigLIP, a tower of images and a tower of texts, which tells of each image and each text whether they belong
 * together. @see Zhai et al., Sigmoid loss for language image pre-training, 2023, section 3.2
 */
export const SIGLIP: ModelFamily = {
  build(context) {
    const { config } = context;
    const vision = towerConfig(config, "vision", "siglip");
    vision.require("vision_use_head", true);
    const { images, texts } = pairInputs(context, vision);
    const text = towerConfig(config, "text", "siglip");
    const image = readImage(context, { config: vision, input: images, prefix: "vision_model." });
    const words = readText(context, { config: text, input: texts, prefix: "text_model." });
    return compareTowers(context, { images: image.pooled, texts: words.pooled }, [1]);
  },
  narrow: (config) => {
    const narrowed = narrowTowers(config, "siglip");
    // Both towers end in rows of one width.
    const vision = towerConfig(config, "vision", "siglip").with(
      narrowed["vision_config"] as Readonly<Record<string, unknown>>,
    );
    const text = narrowed["text_config"] as Readonly<Record<string, unknown>>;
    return { ...narrowed, text_config: { ...text, projection_size: vision.count("hidden_size") } };
  },
  seesAll: true,
  predicts: () => ({ kind: "paired", asks: "each" }),
  // The loss of an image is the sum over texts.
  loss: (pairs) => ({
    logits_per_text: { loss: "binary-cross-entropy", targets: "pair", weight: pairs },
  }),
  uncounted: EMBEDDINGS,
  maxLength: (config) => towerConfig(config, "text", "siglip").count("max_position_embeddings"),
  idle: /position_ids$/,
};

/** The tower of texts of SigLIP. */
export const SIGLIP_TEXT: ModelFamily = {
  build(context) {
    const prefix = context.has?.("embeddings.token_embedding.weight") ? "" : "text_model.";
    return towerOutputs(readText(context, { config: context.config, input: textInput(context), prefix }));
  },
  narrow: (config) => narrowTower(config, "text"),
  seesAll: true,
  maxLength: (config) => config.count("max_position_embeddings"),
  idle: /position_ids$/,
};

/** The tower of images of SigLIP. */
export const SIGLIP_VISION: ModelFamily = {
  build(context) {
    const prefix = context.has?.("embeddings.patch_embedding.weight") ? "" : "vision_model.";
    const { config } = context;
    const tower = { config, input: imageInput(context, config), prefix };
    if (config.boolean("vision_use_head")) return towerOutputs(readImage(context, tower));
    const { rows, length } = normalizedImage(context, tower);
    return { hidden: reshape(rows, [-1, length, at(rows.shape, 1, "axis")]) };
  },
  narrow: (config) => narrowTower(config, "vision"),
  idle: /position_ids$/,
};

/** Rows of a tower, and the embedding of the whole image or text. */
interface Embedded extends TowerRows {
  /** Embeddings, `[N, width]`. */
  readonly pooled: Value;
}

function towerOutputs({ rows, length, pooled }: Embedded): FamilyOutputs {
  return { hidden: reshape(rows, [-1, length, at(rows.shape, 1, "axis")]), pooled };
}

/** Adds the tower of texts, whose last token stands for the text. */
function readText(context: FamilyContext, tower: Tower): Embedded {
  const { rows, length } = textTower(context, tower, undefined);
  const width = at(rows.shape, 1, "axis");
  const range = { axis: 1, begin: length - 1, end: length };
  const last = reshape(slice(reshape(rows, [-1, length, width]), [range]), [-1, width]);
  const out = tower.config.count("projection_size", width);
  const layer = { out, initializer: ENCODER_START };
  return { rows, length, pooled: linear(context.network, last, `${tower.prefix}head`, layer) };
}

function normalizedImage(context: FamilyContext, tower: Tower): TowerRows {
  const { rows, length } = imageTower(context, tower, false);
  const epsilon = tower.config.share("layer_norm_eps");
  return { rows: rowNorm(context.network, rows, `${tower.prefix}post_layernorm`, epsilon), length };
}

/** Adds the tower of images, whose rows are read by an attention with one learned query, the probe. */
function readImage(context: FamilyContext, tower: Tower): Embedded {
  const { network } = context;
  const { rows, length } = normalizedImage(context, tower);
  const block = towerBlock(tower.config, 1);
  const { width, heads } = block;
  const name = `${tower.prefix}head`;
  const probe = reshape(network.weight(`${name}.probe`, [1, 1, width], normal(0.02)), [1, width]);
  const project = probeProjection(context, `${name}.attention`, { probe, rows });
  const mixed = multiHeadAttention(project, { length: 1, heads, seen: length });
  const layer = { out: width, initializer: ENCODER_START };
  const attended = linear(network, mixed, `${name}.attention.out_proj`, layer);
  const names = { feedForwardNorm: `${name}.layernorm`, up: `${name}.mlp.fc1`, down: `${name}.mlp.fc2` };
  return { rows, length, pooled: addFeedForward(network, attended, names, block) };
}

/** Projects the probe to queries, and rows to keys and values, by one weight of three times the width. */
function probeProjection(
  { network }: FamilyContext,
  name: string,
  { probe, rows }: { readonly probe: Value; readonly rows: Value },
): (part: AttentionPart) => Value {
  const width = at(rows.shape, 1, "axis");
  const thirds = (value: Value) => {
    const [query, key, value_] = split(value, 0, [width, width, width]) as [Value, Value, Value];
    return { query, key, value: value_ };
  };
  const weights = thirds(network.weight(`${name}.in_proj_weight`, [3 * width, width], normal(0.02)));
  const biases = thirds(network.weight(`${name}.in_proj_bias`, [3 * width], constant(0)));
  return (part) => gemm(part === "query" ? probe : rows, weights[part], { transB: true, bias: biases[part] });
}

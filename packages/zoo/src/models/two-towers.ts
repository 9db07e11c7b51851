import { at } from "@isthmus/core";
import {
  add,
  div,
  exp,
  gather,
  matMul,
  mul,
  reduceL2,
  reshape,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { constant, normal } from "../initializer.ts";
import { placeIndices } from "../layers/place-indices.ts";
import { type PreNormBlock, type PreNormNames, preNormBlock } from "../layers/pre-norm-block.ts";
import { rowNorm } from "../layers/row-norm.ts";
import { visionTransformer } from "../layers/vision-transformer.ts";
import { CONFIG_DEFAULTS } from "./config-defaults.ts";
import { modelActivation } from "./model-activation.ts";
import { ModelConfig } from "./model-config.ts";
import type { FamilyContext, FamilyOutputs } from "./model-family.ts";
import { narrowHeads, narrowWidth } from "./narrow-heads.ts";
import { narrowImages, readImages } from "./read-images.ts";

/** Rows of the tokens of a tower behind its last block. */
export interface TowerRows {
  /** Rows of tokens, `[N * length, width]`. */
  readonly rows: Value;
  /** Number of rows of an image or of a text. */
  readonly length: number;
}

/** Extents that all blocks of a tower share. */
export function towerBlock(config: ModelConfig, length: number): PreNormBlock & { readonly width: number } {
  config.quotient("hidden_size", "num_attention_heads");
  return {
    length,
    width: config.count("hidden_size"),
    heads: config.count("num_attention_heads"),
    hidden: config.count("intermediate_size"),
    epsilon: config.share("layer_norm_eps"),
    activation: modelActivation(config, "hidden_act"),
  };
}

/** Returns the names of a block of a tower. */
function blockNames(prefix: string, index: number): PreNormNames {
  const name = `${prefix}encoder.layers.${index}`;
  const inside = `${name}.self_attn`;
  return {
    attentionNorm: `${name}.layer_norm1`,
    heads: { query: `${inside}.q_proj`, key: `${inside}.k_proj`, value: `${inside}.v_proj` },
    output: `${inside}.out_proj`,
    feedForwardNorm: `${name}.layer_norm2`,
    up: `${name}.mlp.fc1`,
    down: `${name}.mlp.fc2`,
  };
}

/** A tower of a network: its config with all fields, its input, and the prefix of its names. */
export interface Tower {
  /** Config of the tower, in which no field is missing. */
  readonly config: ModelConfig;
  /** Images `[N, channels, height, width]`, or ids of tokens `[N, length]`. */
  readonly input: Value;
  /** Prefix of the names of weights. */
  readonly prefix: string;
}

/**
 * Adds the tower of texts: embeddings of tokens and positions, blocks, and a norm.
 * @param mask - summand of the scores; undefined if all tokens see each other
 */
export function textTower(
  { network }: FamilyContext,
  { config, input, prefix }: Tower,
  mask: Value | undefined,
): TowerRows {
  const length = at(input.shape, 1, "axis");
  const block = { ...towerBlock(config, length), ...(mask === undefined ? {} : { mask }) };
  const table = (name: string, rows: number) =>
    network.weight(`${prefix}embeddings.${name}.weight`, [rows, block.width], normal(0.02));
  const positions = config.count("max_position_embeddings");
  const places = gather(table("position_embedding", positions), placeIndices(input, positions));
  const words = gather(table("token_embedding", config.count("vocab_size")), input);
  let rows = reshape(add(words, places), [-1, block.width]);
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++)
    rows = preNormBlock(network, rows, blockNames(prefix, i), block);
  return { rows: rowNorm(network, rows, `${prefix}final_layer_norm`, block.epsilon), length };
}

/**
 * Adds the tower of images up to its last block.
 * @param hasToken - whether there is a class token, and a norm before the first block, as in CLIP
 */
export function imageTower(
  { network }: FamilyContext,
  { config, input, prefix }: Tower,
  hasToken: boolean,
): TowerRows {
  return visionTransformer(network, input, {
    ...towerBlock(config, 0),
    names: {
      ...(hasToken && {
        token: `${prefix}embeddings.class_embedding`,
        embeddedNorm: `${prefix}pre_layrnorm`,
      }),
      positions: `${prefix}embeddings.position_embedding.weight`,
      projection: `${prefix}embeddings.patch_embedding`,
      block: (index) => blockNames(prefix, index),
    },
    patch: readImages(config).patch,
    depth: config.blocks("num_hidden_layers"),
    tokenInitializer: normal(0.02),
    headBias: true,
    dropout: 0,
    patchBias: !hasToken,
    flat: true,
  });
}

/** Names of the inputs, as processors of Hugging Face name their arrays. */
const INPUTS = { images: "pixel_values", texts: "input_ids" } as const;

/** Adds the input of images to a network of one tower: `[N, channels, height, width]`. */
export function imageInput({ network }: FamilyContext, config: ModelConfig): Value {
  return network.input(INPUTS.images, readImages(config).shape);
}

/** Adds the input of texts to a network of one tower: `[N, length]`. */
export function textInput({ network, length }: FamilyContext): Value {
  return network.input(INPUTS.texts, [length], "i64");
}

/**
 * Adds the inputs of a network of both towers, in which an example is a number of pairs of an image and a
 * text; returns all images `[N * pairs, channels, height, width]` and all texts `[N * pairs, length]`.
 */
export function pairInputs(
  { network, pairs, length }: FamilyContext,
  config: ModelConfig,
): { readonly images: Value; readonly texts: Value } {
  const { shape } = readImages(config);
  const images = network.input(INPUTS.images, [pairs, ...shape]);
  const texts = network.input(INPUTS.texts, [pairs, length], "i64");
  return { images: reshape(images, [-1, ...shape]), texts: reshape(texts, [-1, length]) };
}

/** Names of the embeddings, which are no part of the function of a network of both towers. */
export const EMBEDDINGS: readonly string[] = ["image_embeds", "text_embeds"];

/**
 * Compares the images and the texts of each example: cosines of their embeddings, multiplied by the
 * exponential of the weight `logit_scale`.
 * @param embeddings - rows of images and of texts, `[N * pairs, width]` each
 * @param scale - shape of the weight `logit_scale`; if it is `[1]`, there is a summand `logit_bias`, too
 * @returns `logits_per_image`, `logits_per_text`, `[N, pairs, pairs]`, and the embeddings, `[N, pairs,
 * width]`
 */
export function compareTowers(
  { network, pairs }: FamilyContext,
  embeddings: { readonly images: Value; readonly texts: Value },
  scale: readonly [] | readonly [1],
): FamilyOutputs {
  const unit = (rows: Value) => {
    const grouped = reshape(rows, [-1, pairs, at(rows.shape, 1, "axis")]);
    return div(grouped, reduceL2(grouped, { axes: [-1], keepDims: true }));
  };
  const [images, texts] = [unit(embeddings.images), unit(embeddings.texts)];
  const factor = exp(network.weight("logit_scale", scale, constant(Math.log(1 / 0.07))));
  const products = mul(matMul(texts, transpose(images, [0, 2, 1])), factor);
  const logits =
    scale.length === 0 ? products : add(products, network.weight("logit_bias", scale, constant(0)));
  return {
    logits_per_image: transpose(logits, [0, 2, 1]),
    logits_per_text: logits,
    image_embeds: images,
    text_embeds: texts,
  };
}

/** One of the towers of a family. */
type TowerKind = "text" | "vision";

/** A family of networks of two towers. */
type TowerFamily = "clip" | "siglip";

/**
 * Reads the config of a tower in the config of both. Older configs have a second copy, `text_config_dict`,
 * which counts instead of the first.
 */
export function towerConfig(config: ModelConfig, kind: TowerKind, family: TowerFamily): ModelConfig {
  const fields = config.object(`${kind}_config_dict`) ?? config.object(`${kind}_config`);
  const stated = fields ?? new ModelConfig({}, `${config.source}: ${kind}_config`);
  return stated.withDefaults(CONFIG_DEFAULTS[`${family}_${kind}_model`]);
}

/** Returns the fields of a tower with few small blocks. */
export function narrowTower(config: ModelConfig, kind: TowerKind): Readonly<Record<string, unknown>> {
  return kind === "text" ? narrowHeads(config) : { ...narrowWidth(config), ...narrowImages(config) };
}

/** Returns the fields of both towers with few small blocks. */
export function narrowTowers(config: ModelConfig, family: TowerFamily): Readonly<Record<string, unknown>> {
  const narrow = (kind: TowerKind) => {
    const tower = towerConfig(config, kind, family);
    return tower.fieldsWith(narrowTower(tower, kind));
  };
  return {
    text_config: narrow("text"),
    vision_config: narrow("vision"),
    text_config_dict: null,
    vision_config_dict: null,
  };
}
